import { InboxOutlined } from '@ant-design/icons'
import { Alert, Button, Form, Input, Modal, Radio, Upload } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import type { CreatedWorkflow, NewWorkflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import type { Translate } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { lookAtCanvas } from './canvas-text.ts'
import { useCreateWorkflow } from './workflows-queries.ts'
import { workflowsTexts } from './workflows-texts.ts'

type Fields = { name: string; mode: NonNullable<NewWorkflow['mode']>; canvas: string }

/** Takes a canvas from a file or as text, and says what keeps it from running. */
export function ImportCanvasDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(workflowsTexts)
  const navigate = useNavigate()
  const [form] = Form.useForm<Fields>()
  const create = useCreateWorkflow()
  const made = create.data

  const close = () => {
    create.reset()
    onClose()
  }
  return (
    <Modal
      open={open}
      title={t('bring.title')}
      okText={t(made ? 'bring.open' : 'bring.submit')}
      onOk={() => (made ? void navigate(`/workflows/${made.id}`) : form.submit())}
      onCancel={close}
      cancelText={made ? t('bring.close') : undefined}
      confirmLoading={create.isPending}
      width={640}
      destroyOnHidden
    >
      {made ? (
        <Imported workflow={made} />
      ) : (
        <Form<Fields>
          form={form}
          layout="vertical"
          initialValues={{ mode: 'workflow', name: '', canvas: '' }}
          onFinish={(fields) => create.mutate({ ...fields, name: fields.name.trim() })}
          preserve={false}
        >
          <CanvasFields />
          <ErrorNotice error={create.error} />
        </Form>
      )}
    </Modal>
  )
}

function CanvasFields() {
  const t = useTexts(workflowsTexts)
  const form = Form.useFormInstance<Fields>()
  const [isUnreadable, setUnreadable] = useState(false)
  const canvas = Form.useWatch((fields: Partial<Fields>) => fields.canvas ?? '', form)
  const look = canvas.trim() === '' ? undefined : lookAtCanvas(canvas)

  const take = (text: string) => {
    const found = lookAtCanvas(text)
    form.setFieldsValue({ canvas: text, ...(found.kind === 'canvas' && { mode: found.isChatflow ? 'chatflow' : 'workflow' }) })
    void form.validateFields(['canvas']).catch(() => undefined)
  }
  const read = async (file: File) => {
    setUnreadable(false)
    try {
      take(await file.text())
      if (form.getFieldValue('name') === '') form.setFieldValue('name', file.name.replace(/\.[^.]*$/, '').slice(0, 255))
    } catch {
      setUnreadable(true)
    }
  }
  return (
    <>
      <p className="quiet">{t('bring.hint')}</p>
      <Upload.Dragger
        accept=".json,.txt,application/json"
        showUploadList={false}
        beforeUpload={(file) => {
          void read(file)
          return false
        }}
        style={{ marginBottom: 16 }}
      >
        <InboxOutlined aria-hidden style={{ fontSize: 24 }} />
        <div>
          <strong>{t('bring.choose')}</strong> {t('bring.or_drop')}
        </div>
      </Upload.Dragger>
      {isUnreadable && <Alert type="error" showIcon title={t('bring.unreadable')} />}
      <Form.Item
        name="canvas"
        label={t('bring.text')}
        extra={look?.kind === 'canvas' ? t('bring.nodes', { count: look.nodes }) : undefined}
        rules={[{ validator: (_rule, text: string) => checkText(text, t) }]}
        validateTrigger="onBlur"
      >
        <Input.TextArea
          className="mono"
          rows={6}
          spellCheck={false}
          onPaste={(event) => {
            const { selectionStart, selectionEnd, value } = event.currentTarget
            if (selectionEnd - selectionStart < value.length) return
            // a whole canvas: at once, also when it is megabytes
            event.preventDefault()
            take(event.clipboardData.getData('text'))
          }}
        />
      </Form.Item>
      <Form.Item name="name" label={t('create.name')} rules={[{ required: true, whitespace: true, message: t('create.name_missing') }]}>
        <Input maxLength={255} autoComplete="off" dir="auto" />
      </Form.Item>
      <Form.Item name="mode" label={t('create.mode')}>
        <Radio.Group options={(['workflow', 'chatflow'] as const).map((mode) => ({ value: mode, label: t(`mode.${mode}`) }))} />
      </Form.Item>
    </>
  )
}

async function checkText(text: string, t: Translate<(typeof workflowsTexts)['en']>): Promise<void> {
  if (text.trim() === '') throw new Error(t('bring.text_missing'))
  const look = lookAtCanvas(text)
  if (look.kind === 'not_json') throw new Error(t('bring.not_json', { reason: look.reason }))
  if (look.kind !== 'canvas') throw new Error(t(`bring.${look.kind}`))
}

const MOST_SHOWN = 50

function Imported({ workflow: { draft, groups } }: { workflow: CreatedWorkflow }) {
  const t = useTexts(workflowsTexts)
  const issues = groups.flatMap((group) =>
    group.issues.map((issue) => ({ ...issue, workflow: group.workflow_id === null ? '' : group.name })),
  )
  if (issues.length === 0) return <Alert type="success" showIcon title={t('bring.done_good', { name: draft.name })} />
  return (
    <div className="stack">
      <Alert
        type="warning"
        showIcon
        title={t('bring.done_issues', { name: draft.name })}
        description={t('bring.issues', { count: issues.length })}
      />
      <ul style={{ margin: 0, paddingInlineStart: 20 }}>
        {issues.slice(0, MOST_SHOWN).map(({ workflow, node_title, path, message }, index) => (
          <li key={index}>
            <strong dir="auto">{[workflow, node_title || t('bring.whole')].filter(Boolean).join(' · ')}</strong>: {message}{' '}
            {path !== '' && <code className="mono quiet">{path}</code>}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** For the head of the page and the empty list. */
export function ImportButton({ onClick }: { onClick: () => void }) {
  const t = useTexts(workflowsTexts)
  return <Button onClick={onClick}>{t('bring.action')}</Button>
}
