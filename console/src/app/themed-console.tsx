import { App, ConfigProvider, theme } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import dayjs from 'dayjs'
import 'dayjs/locale/zh-cn'
import { useLayoutEffect } from 'react'
import type { ReactNode } from 'react'
import { styleNonce } from '../lib/style-nonce.ts'
import { useLanguage } from '../lib/texts.ts'
import { useIsDark } from '../lib/theme-mode.ts'

const LOOK = {
  // Ant Design does not ask the system itself
  motion: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  // its own is too pale to read
  opacityLoading: 0.92,
  colorPrimary: '#3b5bdb',
  // its own is too pale for white text
  colorPrimaryHover: '#4a67dd',
  colorInfo: '#3b5bdb',
  borderRadius: 8,
  fontFamily: 'inherit',
}

const LIGHT = {
  ...LOOK,
  colorTextPlaceholder: 'rgba(0, 0, 0, 0.56)',
  colorBgLayout: '#f6f7f9',
  colorTextSecondary: 'rgba(0, 0, 0, 0.62)',
  colorTextTertiary: 'rgba(0, 0, 0, 0.56)',
  colorError: '#cf1322',
}
const DARK = {
  ...LOOK,
  colorTextPlaceholder: 'rgba(255, 255, 255, 0.56)',
  colorBgLayout: '#101216',
  colorBgContainer: '#171a20',
  colorBgElevated: '#1e222a',
  colorLink: '#8fa8ff',
  colorLinkHover: '#b5c6ff',
  colorTextTertiary: 'rgba(255, 255, 255, 0.58)',
  colorError: '#ff6f70',
}

// the primary colour is too dark for text on a dark page
const PALE = '#8fa8ff'
const DARK_PARTS = {
  Tabs: { itemSelectedColor: PALE, itemHoverColor: PALE, itemActiveColor: PALE, inkBarColor: PALE },
  Radio: { colorPrimary: PALE, colorPrimaryHover: PALE, colorPrimaryActive: PALE },
}

/** Gives Ant Design our colours, the theme and the language of now. */
export function ThemedConsole({ children }: { children: ReactNode }) {
  const isDark = useIsDark()
  const language = useLanguage()

  useLayoutEffect(() => {
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
  }, [isDark])
  useLayoutEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    dayjs.locale(language === 'zh' ? 'zh-cn' : 'en')
  }, [language])

  return (
    <ConfigProvider
      locale={language === 'zh' ? zhCN : enUS}
      csp={{ nonce: styleNonce }}
      theme={{
        algorithm: isDark ? theme.darkAlgorithm : theme.defaultAlgorithm,
        token: isDark ? DARK : LIGHT,
        components: isDark ? DARK_PARTS : {},
      }}
      form={{ requiredMark: false, scrollToFirstError: true }}
      // a space between the two characters of a Chinese word is read out, and is in no name
      button={{ autoInsertSpace: false }}
    >
      <App>{children}</App>
    </ConfigProvider>
  )
}
