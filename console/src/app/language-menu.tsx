import { TranslationOutlined } from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import { languages } from '../lib/languages.ts'
import { changeLanguage, useLanguage, useTexts } from '../lib/texts.ts'
import { shellTexts } from './shell-texts.ts'

/** Each language is named in itself. */
const names = { en: 'English', zh: '简体中文' }

export function LanguageMenu() {
  const t = useTexts(shellTexts)
  const language = useLanguage()
  const items = languages.map((key) => ({ key, label: names[key], onClick: () => void changeLanguage(key) }))
  return (
    <Dropdown menu={{ items, selectable: true, selectedKeys: [language] }} trigger={['click']} placement="bottomRight">
      <Button type="text" icon={<TranslationOutlined aria-hidden />} aria-label={t('language')} />
    </Dropdown>
  )
}
