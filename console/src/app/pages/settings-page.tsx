import { Alert, Tabs } from 'antd'
import { Navigate, useNavigate, useParams } from 'react-router'
import { AuditLog } from '../../features/settings/audit-log.tsx'
import { ModelList } from '../../features/settings/model-list.tsx'
import { ServerStatus } from '../../features/settings/server-status.tsx'
import { settingsTexts } from '../../features/settings/settings-texts.ts'
import { UserList } from '../../features/settings/user-list.tsx'
import { useCurrentUser } from '../../lib/current-user.ts'
import { useTexts } from '../../lib/texts.ts'
import { PageHeader } from '../../ui/page-header.tsx'

const SECTIONS = { models: ModelList, users: UserList, audit: AuditLog, status: ServerStatus }
type Section = keyof typeof SECTIONS
const NAMES: Section[] = ['models', 'users', 'audit', 'status']

export function SettingsPage() {
  const t = useTexts(settingsTexts)
  const navigate = useNavigate()
  const isAdmin = useCurrentUser().role === 'admin'
  const { section: wanted } = useParams()
  const section = NAMES.find((name) => name === wanted)
  if (section === undefined) return <Navigate to="/settings/models" replace />

  const Content = SECTIONS[section]
  const isAllowed = isAdmin || section === 'models'
  const shown = isAdmin ? NAMES : NAMES.filter((name) => name === 'models' || name === section)
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Tabs
        activeKey={section}
        onChange={(name) => void navigate(`/settings/${name}`)}
        items={shown.map((name) => ({
          key: name,
          label: t(`${name}.title`),
          children: name === section && (isAllowed ? <Content /> : <Alert role="alert" type="info" showIcon title={t('admins_only')} />),
        }))}
      />
    </>
  )
}
