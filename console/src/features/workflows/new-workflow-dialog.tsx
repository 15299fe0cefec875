import { Form, Input, Modal, Radio } from 'antd'
import { useNavigate } from 'react-router'
import type { NewWorkflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useCreateWorkflow } from './workflows-queries.ts'
import { workflowsTexts } from './workflows-texts.ts'

type Fields = Required<Pick<NewWorkflow, 'name' | 'mode'>>

/** Leads to the editor of the new workflow. */
export function NewWorkflowDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(workflowsTexts)
  const navigate = useNavigate()
  const [form] = Form.useForm<Fields>()
  const create = useCreateWorkflow()

  const close = () => {
    create.reset()
    onClose()
  }
  const submit = (fields: Fields) =>
    create.mutate({ ...fields, name: fields.name.trim() }, { onSuccess: ({ id }) => void navigate(`/workflows/${id}`) })

  return (
    <Modal
      open={open}
      title={t('create.title')}
      okText={t('create.submit')}
      onOk={() => form.submit()}
      onCancel={close}
      confirmLoading={create.isPending}
      destroyOnHidden
    >
      <Form<Fields> form={form} layout="vertical" onFinish={submit} initialValues={{ mode: 'workflow' }} preserve={false}>
        <Form.Item name="name" label={t('create.name')} rules={[{ required: true, whitespace: true, message: t('create.name_missing') }]}>
          <Input maxLength={255} placeholder={t('create.name_place')} autoFocus autoComplete="off" dir="auto" />
        </Form.Item>
        <Form.Item name="mode" label={t('create.mode')}>
          <Radio.Group
            vertical
            options={(['workflow', 'chatflow'] as const).map((mode) => ({
              value: mode,
              label: (
                <>
                  {t(`mode.${mode}`)} <span className="quiet">– {t(`create.${mode}_hint`)}</span>
                </>
              ),
            }))}
          />
        </Form.Item>
        <ErrorNotice error={create.error} />
      </Form>
    </Modal>
  )
}
