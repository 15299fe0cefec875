import { Form, Input, InputNumber, Modal, Select } from 'antd'
import type { AgentTool } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import { HeaderFields } from './header-fields.tsx'
import { DocumentField } from './openapi-document-field.tsx'
import { isJsonObject, toToolFields, toTool } from './tool-form.ts'
import type { ToolFormFields } from './tool-form.ts'

export type ToolDialogProps = {
  kind: AgentTool['type']
  /** The one that is changed; without one it is new. */
  tool: AgentTool | undefined
  /** Names of the other tools. */
  taken: string[]
  onClose: () => void
  onDone: (tool: AgentTool) => void
}

/** One tool, checked as far as a page can. */
export function ToolDialog({ kind, tool, taken, onClose, onDone }: ToolDialogProps) {
  const t = useTexts(agentEditorTexts)
  const [form] = Form.useForm<ToolFormFields>()

  return (
    <Modal
      open
      title={t(`tool.title_${kind}`)}
      width={640}
      onCancel={onClose}
      onOk={() => form.submit()}
      okText={t('tool.save')}
      mask={{ closable: false }}
    >
      <p className="quiet">{t(`tools.${kind}_hint`)}</p>
      <Form<ToolFormFields>
        form={form}
        layout="vertical"
        initialValues={toToolFields(tool)}
        onFinish={(fields) => onDone(toTool(kind, fields))}
      >
        <Form.Item
          name="name"
          label={t('tool.name')}
          rules={[
            { required: true, pattern: /^[a-zA-Z0-9_-]{1,64}$/, message: t('tool.name_rule') },
            {
              validator: (_rule, name: string) =>
                taken.includes(name) ? Promise.reject(new Error(t('tool.name_taken'))) : Promise.resolve(),
            },
          ]}
        >
          <Input autoFocus autoComplete="off" spellCheck={false} />
        </Form.Item>
        {kind === 'mcp' && <McpFields />}
        {kind === 'openapi' && <OpenapiFields />}
        {kind === 'function' && <FunctionFields />}
        {kind !== 'function' && (
          <Form.Item name="timeout_seconds" label={t('tool.timeout')}>
            <InputNumber min={0.1} max={120} />
          </Form.Item>
        )}
      </Form>
    </Modal>
  )
}

function McpFields() {
  const t = useTexts(agentEditorTexts)
  return (
    <>
      <Form.Item
        name="url"
        label={t('tool.url')}
        extra={t('tool.url_hint')}
        rules={[{ required: true, pattern: /^https?:\/\/./i, message: t('tool.url_rule') }]}
      >
        <Input type="url" maxLength={2_000} autoComplete="off" spellCheck={false} />
      </Form.Item>
      <HeaderFields />
      <Form.Item name="allow" label={t('tool.allow')} extra={t('tool.allow_hint')}>
        <Select mode="tags" open={false} suffix={null} tokenSeparators={[',', ' ']} maxCount={200} />
      </Form.Item>
    </>
  )
}

function OpenapiFields() {
  const t = useTexts(agentEditorTexts)
  return (
    <>
      <Form.Item
        name="document"
        label={t('tool.document')}
        extra={t('tool.document_hint')}
        rules={[{ required: true, message: t('tool.document_missing') }]}
      >
        <DocumentField />
      </Form.Item>
      <Form.Item
        name="base_url"
        label={t('tool.base_url')}
        extra={t('tool.base_url_hint')}
        rules={[{ pattern: /^https?:\/\/./i, message: t('tool.url_rule') }]}
      >
        <Input type="url" maxLength={2_000} autoComplete="off" spellCheck={false} />
      </Form.Item>
      <HeaderFields />
      <Form.Item name="operations" label={t('tool.operations')} extra={t('tool.operations_hint')}>
        <Select mode="tags" open={false} suffix={null} tokenSeparators={[',']} maxCount={200} />
      </Form.Item>
    </>
  )
}

function FunctionFields() {
  const t = useTexts(agentEditorTexts)
  return (
    <>
      <Form.Item name="description" label={t('tool.description')} extra={t('tool.description_hint')}>
        <GrowingTextArea minRows={2} maxRows={6} maxLength={2_000} />
      </Form.Item>
      <Form.Item
        name="parameters"
        label={t('tool.parameters')}
        rules={[
          {
            validator: (_rule, text: string) =>
              isJsonObject(text) ? Promise.resolve() : Promise.reject(new Error(t('tool.parameters_rule'))),
          },
        ]}
      >
        <GrowingTextArea className="mono" minRows={6} maxRows={16} spellCheck={false} dir="ltr" />
      </Form.Item>
    </>
  )
}
