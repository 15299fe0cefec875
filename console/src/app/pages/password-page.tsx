import { Card } from 'antd'
import { ChangePasswordForm } from '../../features/session/change-password-form.tsx'
import { sessionTexts } from '../../features/session/session-texts.ts'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

export function PasswordPage() {
  const t = useTexts(sessionTexts)
  return (
    <>
      <PageHeader title={t('change.title')} description={t('change.description')} />
      <Card>
        <ChangePasswordForm />
      </Card>
    </>
  )
}
