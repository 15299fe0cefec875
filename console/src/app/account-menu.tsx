import { LockOutlined, LogoutOutlined } from '@ant-design/icons'
import { Avatar, Button, Dropdown } from 'antd'
import { useNavigate } from 'react-router'
import { useSignOut } from '../features/session/session-queries.ts'
import { useCurrentUser } from '../lib/current-user.ts'
import { useTexts } from '../lib/texts.ts'
import { useErrorToast } from '../ui/use-error-toast.ts'
import { shellTexts } from './shell-texts.ts'

export function AccountMenu() {
  const t = useTexts(shellTexts)
  const user = useCurrentUser()
  const navigate = useNavigate()
  const signOut = useSignOut()
  const showError = useErrorToast()

  const items = [
    { key: 'who', type: 'group' as const, label: user.email },
    { key: 'password', icon: <LockOutlined />, label: t('account.password'), onClick: () => void navigate('/password') },
    {
      key: 'sign_out',
      icon: <LogoutOutlined />,
      label: t('account.sign_out'),
      onClick: () => signOut.mutate(undefined, { onSuccess: () => void navigate('/sign-in'), onError: showError }),
    },
  ]
  return (
    <Dropdown menu={{ items }} trigger={['click']} placement="bottomRight">
      <Button type="text" aria-label={t('account.label', { name: user.name })} style={{ paddingInline: 6 }}>
        <Avatar size={26} style={{ background: 'var(--ant-color-primary)' }}>
          {initialOf(user.name)}
        </Avatar>
      </Button>
    </Dropdown>
  )
}

/** The first character that a person sees, emoji included. */
const initialOf = (name: string) => (Array.from(name.trim())[0] ?? '?').toUpperCase()
