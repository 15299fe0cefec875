import { DesktopOutlined, MoonOutlined, SunOutlined } from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import { useTexts } from '../lib/texts.ts'
import { changeThemeMode, themeModes, useThemeMode } from '../lib/theme-mode.ts'
import { shellTexts } from './shell-texts.ts'

const icons = { system: <DesktopOutlined />, light: <SunOutlined />, dark: <MoonOutlined /> }

export function ThemeMenu() {
  const t = useTexts(shellTexts)
  const mode = useThemeMode()
  const items = themeModes.map((key) => ({ key, icon: icons[key], label: t(`theme.${key}`), onClick: () => changeThemeMode(key) }))
  return (
    <Dropdown menu={{ items, selectable: true, selectedKeys: [mode] }} trigger={['click']} placement="bottomRight">
      <Button type="text" icon={icons[mode]} aria-label={t('theme.label')} />
    </Dropdown>
  )
}
