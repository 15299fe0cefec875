import { Form, Input } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { sessionTexts } from './session-texts.ts'

export function EmailField({ readOnly }: { readOnly?: boolean }) {
  const t = useTexts(sessionTexts)
  return (
    <Form.Item name="email" label={t('email')} rules={[{ required: true, type: 'email', transform: trimmed, message: t('email_wrong') }]}>
      <Input
        type="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        readOnly={readOnly}
        variant={readOnly ? 'filled' : 'outlined'}
        size="large"
      />
    </Form.Item>
  )
}

export function PasswordField({ autoFocus }: { autoFocus?: boolean }) {
  const t = useTexts(sessionTexts)
  return (
    <Form.Item name="password" label={t('password')} rules={[{ required: true, message: t('password_missing') }]}>
      <Input.Password autoComplete="current-password" autoFocus={autoFocus} size="large" />
    </Form.Item>
  )
}

export function NewPasswordField({ name = 'password', label }: { name?: string; label?: string }) {
  const t = useTexts(sessionTexts)
  return (
    <Form.Item
      name={name}
      label={label ?? t('password')}
      extra={t('password_rule')}
      rules={[{ required: true, min: 8, max: 128, message: t('password_rule') }]}
    >
      <Input.Password autoComplete="new-password" size="large" />
    </Form.Item>
  )
}

const trimmed = (value: string | undefined) => value?.trim()
