import { DeleteOutlined, UploadOutlined } from '@ant-design/icons'
import { Alert, Button, Input } from 'antd'
import { useRef } from 'react'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { agentEditorTexts } from './agent-editor-texts.ts'
import { AgentIcon } from './agent-icon.tsx'
import { useUploadFile } from './agents-queries.ts'
import { EditorField } from './editor-fields.tsx'
import styles from './agent-form.module.css'
import type { DraftEditing } from './use-agent-draft.ts'

/** What people see of the agent. */
export function FaceFields({ draft, edit }: DraftEditing) {
  const t = useTexts(agentEditorTexts)
  return (
    <>
      <IconField draft={draft} edit={edit}>
        <EditorField label={t('name')} error={draft.name.trim() === '' ? t('name_missing') : undefined}>
          {(id) => <Input id={id} value={draft.name} maxLength={255} dir="auto" onChange={({ target }) => edit({ name: target.value })} />}
        </EditorField>
      </IconField>
      <EditorField label={t('description')} hint={t('description_hint')}>
        {(id) => (
          <GrowingTextArea
            id={id}
            value={draft.description}
            maxLength={10_000}
            minRows={1}
            maxRows={6}
            dir="auto"
            onChange={({ target }) => edit({ description: target.value })}
          />
        )}
      </EditorField>
    </>
  )
}

/** The picture with its buttons, and the name beside it. */
function IconField({ draft, edit, children }: DraftEditing & { children: ReactNode }) {
  const t = useTexts(agentEditorTexts)
  const input = useRef<HTMLInputElement>(null)
  const upload = useUploadFile()
  const isNoPicture = upload.data?.icon_path === null

  const choose = (file: File | undefined) => {
    if (file) upload.mutate(file, { onSuccess: ({ icon_path }) => icon_path !== null && edit({ icon_url: icon_path }) })
  }
  return (
    <>
      <div className={styles.face}>
        <AgentIcon name={draft.name} url={draft.icon_url} size={64} />
        <div className={styles.named}>{children}</div>
        <input
          ref={input}
          type="file"
          accept="image/png,image/jpeg,image/webp,image/gif"
          className="unseen"
          aria-label={t('icon.label')}
          tabIndex={-1}
          onChange={({ target }) => {
            choose(target.files?.[0])
            target.value = ''
          }}
        />
        <div className={styles.icon}>
          <Button size="small" icon={<UploadOutlined aria-hidden />} loading={upload.isPending} onClick={() => input.current?.click()}>
            {t('icon.upload')}
          </Button>
          {draft.icon_url !== '' && (
            <Button size="small" type="text" icon={<DeleteOutlined aria-hidden />} onClick={() => edit({ icon_url: '' })}>
              {t('icon.remove')}
            </Button>
          )}
        </div>
      </div>
      {(isNoPicture || upload.error) && (
        <div className={styles.problem}>
          {isNoPicture && <Alert role="alert" type="error" showIcon title={t('icon.wrong')} />}
          <ErrorNotice error={upload.error} />
        </div>
      )}
    </>
  )
}
