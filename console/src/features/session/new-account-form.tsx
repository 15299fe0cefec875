import { Button, Form } from 'antd'
import type { NewUserWire } from '../../../../server/src/http/console/session-wire.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { EmailField, NewPasswordField } from './account-fields.tsx'

export type NewAccountFormProps = { action: string; error: unknown; isBusy: boolean; onSubmit: (user: NewUserWire) => void }

export function NewAccountForm({ action, error, isBusy, onSubmit }: NewAccountFormProps) {
  return (
    <Form<NewUserWire> layout="vertical" onFinish={onSubmit}>
      <EmailField />
      <NewPasswordField />
      <div className="stack">
        <ErrorNotice error={error} />
        <Button type="primary" htmlType="submit" size="large" block loading={isBusy}>
          {action}
        </Button>
      </div>
    </Form>
  )
}
