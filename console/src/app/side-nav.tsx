import {
  ApartmentOutlined,
  BarChartOutlined,
  BookOutlined,
  CommentOutlined,
  KeyOutlined,
  RobotOutlined,
  SettingOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'
import { Link, NavLink } from 'react-router'
import { useTexts } from '../lib/texts.ts'
import { BrandMark } from '../ui/brand-mark.tsx'
import { shellTexts } from './shell-texts.ts'
import styles from './side-nav.module.css'

const places = [
  { name: 'agents', icon: <RobotOutlined /> },
  { name: 'workflows', icon: <ApartmentOutlined /> },
  { name: 'keys', icon: <KeyOutlined /> },
  { name: 'conversations', icon: <CommentOutlined /> },
  { name: 'usage', icon: <BarChartOutlined /> },
  { name: 'settings', icon: <SettingOutlined /> },
] as const

/** The product's name and the way to its parts. */
export function SideNav() {
  const t = useTexts(shellTexts)
  return (
    <div className={styles.nav}>
      <Link to="/agents" className={styles.brand}>
        <BrandMark />
        Coze Plus
      </Link>
      <nav aria-label={t('navigation')} className={styles.places}>
        <ul>
          {places.map(({ name, icon }) => (
            <li key={name}>
              <NavLink to={`/${name}`} className={({ isActive }) => (isActive ? `${styles.link} ${styles.active}` : styles.link)}>
                <PlaceIcon>{icon}</PlaceIcon>
                {t(`nav.${name}`)}
              </NavLink>
            </li>
          ))}
        </ul>
        <a href="/docs/" target="_blank" rel="noreferrer" className={styles.link}>
          <PlaceIcon>
            <BookOutlined />
          </PlaceIcon>
          {t('nav.reference')}
        </a>
      </nav>
    </div>
  )
}

function PlaceIcon({ children }: { children: ReactNode }) {
  return (
    <span aria-hidden className={styles.icon}>
      {children}
    </span>
  )
}
