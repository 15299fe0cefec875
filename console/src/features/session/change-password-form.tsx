import { App, Button, Form, Input } from 'antd'
import { ApiError } from '../../lib/api-error.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { NewPasswordField } from './account-fields.tsx'
import { useChangePassword } from './session-queries.ts'
import { sessionTexts } from './session-texts.ts'

type Fields = { current: string; next: string; repeat: string }

export function ChangePasswordForm() {
  const t = useTexts(sessionTexts)
  const { message } = App.useApp()
  const [form] = Form.useForm<Fields>()
  const change = useChangePassword()

  const submit = ({ current, next }: Fields) => {
    const onSuccess = () => {
      form.resetFields()
      void message.success(t('change.done'))
    }
    const onError = (error: unknown) => {
      if (isCurrentWrong(error)) form.setFields([{ name: 'current', errors: [t('change.wrong')] }])
    }
    change.mutate({ current_password: current, new_password: next }, { onSuccess, onError })
  }

  return (
    <Form<Fields> form={form} layout="vertical" onFinish={submit} style={{ maxWidth: 400 }}>
      <Form.Item name="current" label={t('change.current')} rules={[{ required: true, message: t('password_missing') }]}>
        <Input.Password autoComplete="current-password" size="large" />
      </Form.Item>
      <NewPasswordField name="next" label={t('change.next')} />
      <Form.Item
        name="repeat"
        label={t('change.repeat')}
        dependencies={['next']}
        rules={[
          ({ getFieldValue }) => ({
            validator: (_rule, value) =>
              value === getFieldValue('next') ? Promise.resolve() : Promise.reject(new Error(t('change.differs'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" size="large" />
      </Form.Item>
      <div className="stack">
        <ErrorNotice error={isCurrentWrong(change.error) ? undefined : change.error} />
        <Button type="primary" htmlType="submit" size="large" loading={change.isPending}>
          {t('change.action')}
        </Button>
      </div>
    </Form>
  )
}

const isCurrentWrong = (error: unknown) => error instanceof ApiError && error.message.startsWith('current_password')
