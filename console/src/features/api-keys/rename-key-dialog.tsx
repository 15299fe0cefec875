import { App, Form, Input, Modal } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useRenameKey } from './api-keys-queries.ts'
import type { ListedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'

export function RenameKeyDialog({ apiKey, onClose }: { apiKey: ListedKey; onClose: () => void }) {
  const t = useTexts(apiKeysTexts)
  const { message } = App.useApp()
  const [form] = Form.useForm<{ name: string }>()
  const rename = useRenameKey()

  const submit = ({ name }: { name: string }) => {
    const onSuccess = () => {
      void message.success(t('renamed'))
      onClose()
    }
    rename.mutate({ id: apiKey.id, name: name.trim() }, { onSuccess })
  }
  return (
    <Modal
      open
      title={t('rename_title', { name: apiKey.name })}
      onCancel={onClose}
      onOk={() => form.submit()}
      okText={t('rename')}
      confirmLoading={rename.isPending}
    >
      <Form form={form} layout="vertical" initialValues={{ name: apiKey.name }} onFinish={submit}>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true, message: t('name_missing') }]}>
          <Input autoFocus maxLength={255} autoComplete="off" />
        </Form.Item>
        <ErrorNotice error={rename.error} />
      </Form>
    </Modal>
  )
}
