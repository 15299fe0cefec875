import { FileAddOutlined } from '@ant-design/icons'
import { Form, Input, Modal, Radio, Skeleton } from 'antd'
import type { Agent, AgentTemplate } from '../../../../server/src/http/console/agent-wire.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { AgentIcon } from './agent-icon.tsx'
import { useAgentTemplates, useCreateAgent } from './agents-queries.ts'
import { agentsTexts } from './agents-texts.ts'
import styles from './new-agent-dialog.module.css'

export type NewAgentDialogProps = { open: boolean; onClose: () => void; onCreated: (agent: Agent) => void }

type Fields = { name: string; template: string }
const BLANK = ''

/** A blank agent, or one that begins with a template. */
export function NewAgentDialog({ open, onClose, onCreated }: NewAgentDialogProps) {
  const t = useTexts(agentsTexts)
  const language = useLanguage()
  const [form] = Form.useForm<Fields>()
  const templates = useAgentTemplates(language)
  const create = useCreateAgent()

  const submit = ({ name, template }: Fields) =>
    create.mutate({ name: name.trim(), template: template || undefined, language }, { onSuccess: onCreated })
  // the name of the template stands in for one, until the person has written their own
  const choose = (template: AgentTemplate | undefined) => {
    if (!form.isFieldTouched('name')) form.setFieldValue('name', template?.name ?? '')
  }

  return (
    <Modal
      open={open}
      title={t('new.title')}
      width={720}
      onCancel={onClose}
      onOk={() => form.submit()}
      okText={t('new.action')}
      confirmLoading={create.isPending}
      afterClose={create.reset}
      destroyOnHidden
    >
      <Form<Fields> form={form} layout="vertical" initialValues={{ name: '', template: BLANK }} onFinish={submit} preserve={false}>
        <Form.Item name="name" label={t('new.name')} rules={[{ required: true, whitespace: true, message: t('new.name_missing') }]}>
          <Input autoFocus maxLength={255} autoComplete="off" />
        </Form.Item>
        <Form.Item name="template" label={t('new.from')} style={{ marginBottom: 12 }}>
          <Radio.Group
            className={styles.choices}
            onChange={({ target }) => choose(templates.data?.items.find(({ key }) => key === target.value))}
          >
            <Radio value={BLANK} className={styles.choice}>
              <Choice icon={<FileAddOutlined className={styles.icon} aria-hidden />} name={t('new.blank')} hint={t('new.blank_hint')} />
            </Radio>
            {templates.data?.items.map(({ key, name, description, draft }) => (
              <Radio key={key} value={key} className={styles.choice}>
                <Choice icon={<AgentIcon name={name} url={draft.icon_url} size={32} />} name={name} hint={description} />
              </Radio>
            ))}
          </Radio.Group>
        </Form.Item>
        {templates.isPending && <Skeleton active title={false} />}
        <ErrorNotice error={templates.error} onRetry={() => void templates.refetch()} />
        <ErrorNotice error={create.error} />
      </Form>
    </Modal>
  )
}

function Choice({ icon, name, hint }: { icon: React.ReactNode; name: string; hint: string }) {
  return (
    <span className={styles.words}>
      {icon}
      <span>
        <strong>{name}</strong>
        <span className={styles.hint}>{hint}</span>
      </span>
    </span>
  )
}
