import { ApiOutlined, CloudServerOutlined, CodeOutlined, DeleteOutlined, EditOutlined, PlusOutlined } from '@ant-design/icons'
import { Alert, Button, Dropdown, Select } from 'antd'
import { useState } from 'react'
import type { AgentTool } from '../../../../server/src/http/console/agent-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './agent-form.module.css'
import { usePublishedWorkflows, useToolCheck } from './agents-queries.ts'
import { EditorField } from './editor-fields.tsx'
import { ToolDialog } from './tool-dialog.tsx'
import type { DraftEditing } from './use-agent-draft.ts'

const KINDS = ['mcp', 'openapi', 'function'] as const
const ICONS = { mcp: <CloudServerOutlined />, openapi: <ApiOutlined />, function: <CodeOutlined /> }

export type ToolFieldsProps = DraftEditing & {
  agentId: string
  /** True when the server has the draft: it is that one whose tools are checked. */
  flush: () => Promise<boolean>
}

export function ToolFields({ agentId, draft, edit, flush }: ToolFieldsProps) {
  const t = useTexts(agentEditorTexts)
  const [open, setOpen] = useState<{ kind: AgentTool['type']; tool?: AgentTool }>()
  const { tools } = draft

  const put = (tool: AgentTool) => {
    const before = open?.tool
    edit({ tools: before ? tools.map((each) => (each === before ? tool : each)) : [...tools, tool] })
    setOpen(undefined)
  }
  const items = KINDS.map((kind) => ({
    key: kind,
    icon: ICONS[kind],
    label: t(`tools.${kind}`),
    extra: undefined,
    onClick: () => setOpen({ kind }),
  }))

  // functions are there for whoever calls the agent: no server knows them
  const hasToAsk = draft.workflows.length > 0 || tools.some(({ type }) => type !== 'function')
  return (
    <>
      <p className={styles.hint}>{t('tools.hint')}</p>
      <ul className={styles.rows}>
        {tools.map((tool) => (
          <li key={tool.name} className={styles.tool}>
            <span aria-hidden>{ICONS[tool.type]}</span>
            <div className={styles.toolWords}>
              <strong>{tool.name}</strong>
              <div className="quiet">{tool.type === 'mcp' ? tool.url : t(`tools.${tool.type}`)}</div>
            </div>
            <Button
              type="text"
              icon={<EditOutlined aria-hidden />}
              aria-label={t('tools.edit', { name: tool.name })}
              onClick={() => setOpen({ kind: tool.type, tool })}
            />
            <Button
              type="text"
              icon={<DeleteOutlined aria-hidden />}
              aria-label={t('tools.remove', { name: tool.name })}
              onClick={() => edit({ tools: tools.filter((each) => each !== tool) })}
            />
          </li>
        ))}
      </ul>
      <div className={styles.actions}>
        <Dropdown menu={{ items }} trigger={['click']} disabled={tools.length >= 50}>
          <Button icon={<PlusOutlined aria-hidden />}>{t('tools.add')}</Button>
        </Dropdown>
      </div>
      <WorkflowsField draft={draft} edit={edit} />
      {hasToAsk && <ToolCheckPart agentId={agentId} flush={flush} />}
      {open && (
        <ToolDialog
          kind={open.kind}
          tool={open.tool}
          taken={tools.filter((each) => each !== open.tool).map(({ name }) => name)}
          onClose={() => setOpen(undefined)}
          onDone={put}
        />
      )}
    </>
  )
}

function WorkflowsField({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  const [search, setSearch] = useState('')
  const { data = [], isFetching } = usePublishedWorkflows('workflow', search)
  // names stay known after the search that has found them is over
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map())
  if (data.some(({ id, name }) => names.get(id) !== name)) setNames(new Map([...names, ...data.map(({ id, name }) => [id, name] as const)]))

  return (
    <EditorField label={t('tools.workflows')} hint={t('tools.workflows_hint')}>
      {(id) => (
        <Select
          id={id}
          mode="multiple"
          maxCount={50}
          value={draft.workflows}
          options={data.map((workflow) => ({ value: workflow.id, label: workflow.name }))}
          loading={isFetching}
          showSearch={{ filterOption: false, onSearch: setSearch }}
          labelRender={({ value }) => names.get(String(value)) ?? String(value)}
          onChange={(workflows: string[]) => edit({ workflows })}
        />
      )}
    </EditorField>
  )
}

function ToolCheckPart({ agentId, flush }: Pick<ToolFieldsProps, 'agentId' | 'flush'>) {
  const t = useTexts(agentEditorTexts)
  const check = useToolCheck(agentId)
  const found = check.data?.tools ?? []
  return (
    <div className="stack">
      <div>
        <Button loading={check.isPending} onClick={() => void flush().then((isSaved) => isSaved && check.mutate())}>
          {t('tools.check')}
        </Button>
      </div>
      <ErrorNotice error={check.error} />
      {check.data?.problems.map((problem) => (
        <Alert key={problem} role="alert" type="warning" showIcon title={problem} />
      ))}
      {check.data && (
        <Alert
          role="status"
          type={found.length > 0 ? 'success' : 'info'}
          showIcon
          title={found.length > 0 ? t('tools.found', { count: found.length }) : t('tools.none')}
          description={found.map(({ name, description }) => (
            <div key={name}>
              <code>{name}</code> {description}
            </div>
          ))}
        />
      )}
    </div>
  )
}
