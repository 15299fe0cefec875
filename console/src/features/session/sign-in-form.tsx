import { Button, Form } from 'antd'
import type { CredentialsWire } from '../../../../server/src/http/console/session-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { EmailField, PasswordField } from './account-fields.tsx'
import { useSignIn } from './session-queries.ts'
import { sessionTexts } from './session-texts.ts'
import { SignInError } from './sign-in-error.tsx'

export type SignInFormProps = {
  /** Whose session it is; then only the password is asked for. */
  email?: string
  onDone: () => void
}

export function SignInForm({ email, onDone }: SignInFormProps) {
  const t = useTexts(sessionTexts)
  const signIn = useSignIn()

  return (
    <Form<CredentialsWire>
      layout="vertical"
      initialValues={{ email }}
      onFinish={(credentials) => signIn.mutate(credentials, { onSuccess: onDone })}
    >
      <EmailField readOnly={email !== undefined} />
      <PasswordField autoFocus={email !== undefined} />
      <div className="stack">
        <SignInError error={signIn.error} />
        <Button type="primary" htmlType="submit" size="large" block loading={signIn.isPending}>
          {t('sign_in.action')}
        </Button>
      </div>
    </Form>
  )
}
