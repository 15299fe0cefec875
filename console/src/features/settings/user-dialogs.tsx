import { App, Form, Input, Modal, Select } from 'antd'
import type { NewAccount, User } from '../../../../server/src/http/console/user-wire.ts'
import { useCurrentUser } from '../../lib/current-user.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useChangeUser, useCreateUser, useResetPassword } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'

const ROLES = ['user', 'admin'] as const

export function NewUserDialog({ onClose }: { onClose: () => void }) {
  const t = useTexts(settingsTexts)
  const [form] = Form.useForm<NewAccount>()
  const create = useCreateUser()
  const submit = ({ name, ...account }: NewAccount) => create.mutate({ ...account, ...(name && { name }) }, { onSuccess: onClose })

  return (
    <Modal
      open
      title={t('users.add')}
      okText={t('users.add_action')}
      cancelText={t('cancel')}
      confirmLoading={create.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
      mask={{ closable: false }}
      destroyOnHidden
    >
      <Form<NewAccount> form={form} layout="vertical" initialValues={{ role: 'user' }} onFinish={submit} autoComplete="off">
        <Form.Item
          name="email"
          label={t('users.email')}
          rules={[{ required: true, type: 'email', transform: (value?: string) => value?.trim(), message: t('users.email_wrong') }]}
        >
          <Input type="email" autoComplete="off" autoCapitalize="none" spellCheck={false} maxLength={255} />
        </Form.Item>
        <Form.Item name="name" label={t('users.name')} extra={t('users.name_hint')}>
          <Input maxLength={255} autoComplete="off" />
        </Form.Item>
        <PasswordItem name="password" />
        <RoleItem isDisabled={false} />
      </Form>
      <ErrorNotice error={create.error} />
    </Modal>
  )
}

type Change = Pick<User, 'name' | 'role'>

export function ChangeUserDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useTexts(settingsTexts)
  const isMe = useCurrentUser().id === user.id
  const [form] = Form.useForm<Change>()
  const change = useChangeUser()

  return (
    <Modal
      open
      title={t('users.change_title', { name: user.email })}
      okText={t('save')}
      cancelText={t('cancel')}
      confirmLoading={change.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
      destroyOnHidden
    >
      <Form<Change>
        form={form}
        layout="vertical"
        initialValues={{ name: user.name, role: user.role }}
        onFinish={(fields) => change.mutate({ id: user.id, ...fields }, { onSuccess: onClose })}
      >
        <Form.Item name="name" label={t('users.name')} rules={[{ required: true, whitespace: true, message: t('users.name_missing') }]}>
          <Input maxLength={255} />
        </Form.Item>
        <RoleItem isDisabled={isMe} hint={isMe ? t('users.own_role') : undefined} />
      </Form>
      <ErrorNotice error={change.error} />
    </Modal>
  )
}

export function ResetPasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const t = useTexts(settingsTexts)
  const { message } = App.useApp()
  const [form] = Form.useForm<{ next: string }>()
  const reset = useResetPassword(user.id)
  const onSuccess = () => {
    void message.success(t('users.password_done', { name: user.email }))
    onClose()
  }

  return (
    <Modal
      open
      title={t('users.password_title', { name: user.email })}
      okText={t('users.password_action')}
      cancelText={t('cancel')}
      okButtonProps={{ danger: true }}
      confirmLoading={reset.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
      destroyOnHidden
    >
      <p className="quiet">{t('users.password_consequence')}</p>
      <Form<{ next: string }> form={form} layout="vertical" onFinish={({ next }) => reset.mutate(next, { onSuccess })} autoComplete="off">
        <PasswordItem name="next" />
      </Form>
      <ErrorNotice error={reset.error} />
    </Modal>
  )
}

function PasswordItem({ name }: { name: string }) {
  const t = useTexts(settingsTexts)
  const rule = { required: true, min: 8, max: 128, message: t('users.password_rule') }
  return (
    <Form.Item name={name} label={t('users.password_field')} extra={t('users.password_rule')} rules={[rule]}>
      <Input.Password autoComplete="new-password" />
    </Form.Item>
  )
}

function RoleItem({ isDisabled, hint }: { isDisabled: boolean; hint?: string }) {
  const t = useTexts(settingsTexts)
  return (
    <Form.Item name="role" label={t('users.role')} extra={hint ?? t('users.role_hint')}>
      <Select disabled={isDisabled} options={ROLES.map((value) => ({ value, label: t(`users.roles.${value}`) }))} />
    </Form.Item>
  )
}
