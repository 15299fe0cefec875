import { MenuOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useTexts } from '../lib/texts.ts'
import { AccountMenu } from './account-menu.tsx'
import styles from './header-bar.module.css'
import { LanguageMenu } from './language-menu.tsx'
import { shellTexts } from './shell-texts.ts'
import { ThemeMenu } from './theme-menu.tsx'

export type HeaderBarProps = { onOpenMenu: () => void; isMenuOpen: boolean }

export function HeaderBar({ onOpenMenu, isMenuOpen }: HeaderBarProps) {
  const t = useTexts(shellTexts)
  return (
    <div className={styles.bar} role="banner">
      <Button
        type="text"
        className={styles.menu}
        icon={<MenuOutlined aria-hidden />}
        onClick={onOpenMenu}
        aria-label={t('open_menu')}
        aria-expanded={isMenuOpen}
      />
      <div className={styles.right}>
        <LanguageMenu />
        <ThemeMenu />
        <AccountMenu />
      </div>
    </div>
  )
}
