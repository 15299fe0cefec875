import { Drawer } from 'antd'
import { Suspense, useState } from 'react'
import { Outlet, useLocation } from 'react-router'
import { useTexts } from '../lib/texts.ts'
import { OfflineBanner } from '../ui/offline-banner.tsx'
import { PageLoading } from '../ui/page-loading.tsx'
import styles from './console-layout.module.css'
import { HeaderBar } from './header-bar.tsx'
import { shellTexts } from './shell-texts.ts'
import { SideNav } from './side-nav.tsx'

/** Navigation, header, and the page between them. Below 768 px the navigation is a drawer. */
export function ConsoleLayout() {
  const t = useTexts(shellTexts)
  const { pathname } = useLocation()
  // open on the page that it was opened on: following a link closes it
  const [menuOpenOn, setMenuOpenOn] = useState<string>()
  const isMenuOpen = menuOpenOn === pathname

  return (
    <div className={styles.layout}>
      <a className={styles.skip} href="#content">
        {t('skip')}
      </a>
      <aside className={styles.side}>
        <SideNav />
      </aside>
      <Drawer
        open={isMenuOpen}
        onClose={() => setMenuOpenOn(undefined)}
        placement="left"
        size={264}
        closable={false}
        styles={{ body: { padding: 0 } }}
        aria-label={t('navigation')}
      >
        <SideNav />
      </Drawer>
      <div className={styles.main}>
        <HeaderBar onOpenMenu={() => setMenuOpenOn(pathname)} isMenuOpen={isMenuOpen} />
        <OfflineBanner />
        <main id="content" className={styles.content} tabIndex={-1}>
          <Suspense fallback={<PageLoading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
    </div>
  )
}
