import { Form, Input, Modal, Radio } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { useEditorRoom, useEditorState } from './editor-room.ts'
import type { DraftInfo } from './editor-store.ts'
import { workflowReleaseTexts } from './workflow-release-texts.ts'

type Fields = Pick<DraftInfo, 'name' | 'description' | 'mode' | 'on_crash'>

// the button stands outside of the form
const FORM = 'workflow-info'

/** What is known of a workflow beside its canvas. */
export function WorkflowInfoDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(workflowReleaseTexts)
  const { store } = useEditorRoom()
  const info = useEditorState((state) => state.info)
  const submit = (fields: Fields) => {
    store.setInfo({ ...fields, name: fields.name.trim() })
    onClose()
  }
  return (
    <Modal
      open={open}
      title={t('info.title')}
      okText={t('info.save')}
      onCancel={onClose}
      okButtonProps={{ htmlType: 'submit', form: FORM }}
      destroyOnHidden
    >
      <Form<Fields> name={FORM} layout="vertical" initialValues={info} onFinish={submit}>
        <Form.Item name="name" label={t('info.name')} rules={[{ required: true, whitespace: true, message: t('info.name_missing') }]}>
          <Input maxLength={255} dir="auto" />
        </Form.Item>
        <Form.Item name="description" label={t('info.description')} extra={t('info.description_hint')}>
          <GrowingTextArea maxLength={10_000} minRows={2} maxRows={8} dir="auto" />
        </Form.Item>
        <Form.Item name="mode" label={t('info.mode')}>
          <Radio.Group
            options={[
              { value: 'workflow', label: t('info.workflow') },
              { value: 'chatflow', label: t('info.chatflow') },
            ]}
          />
        </Form.Item>
        <Form.Item name="on_crash" label={t('info.on_crash')}>
          <Radio.Group
            options={[
              { value: 'resume', label: t('info.resume') },
              { value: 'fail', label: t('info.fail') },
            ]}
          />
        </Form.Item>
      </Form>
    </Modal>
  )
}
