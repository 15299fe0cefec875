import { Select } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { isObject, listAt, readAt, textAt, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import styles from './node-panel.module.css'
import { ValueField } from './value-field.tsx'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type HttpAuthProps = { node: CanvasNode; value: Json | undefined; onChange: (value: Json) => void }

const KINDS = ['none', 'bearer', 'custom'] as const
const BEARER = 'authData.bearerTokenData'
const CUSTOM = 'authData.customData.data'
const ADD_TO = 'authData.customData.addTo'

/** How an HTTP request says who is asking. What was entered for another way is kept. */
export function HttpAuthField({ node, value, onChange }: HttpAuthProps) {
  const t = useTexts(workflowEditorTexts)
  const auth: JsonObject = isObject(value) ? value : {}
  const kind = kindOf(auth)
  const choose = (chosen: (typeof KINDS)[number]) => onChange(withKind(auth, chosen))
  const param = (path: string, name: string) => ({
    node,
    value: readAt(
      listAt(auth, path).find((each) => textAt(each, 'name') === name),
      'input',
    ),
    onChange: (input: JsonObject) => onChange(withParam(auth, { path, name, input })),
  })
  return (
    <div className={styles.rows}>
      <Select
        aria-label={t('auth.kind')}
        className={styles.wide}
        value={kind}
        options={KINDS.map((each) => ({ value: each, label: t(`auth.${each}`) }))}
        onChange={choose}
      />
      {kind === 'bearer' && <ValueField label={t('auth.token')} {...param(BEARER, 'token')} />}
      {kind === 'custom' && (
        <>
          <Select
            aria-label={t('auth.add_to')}
            className={styles.wide}
            value={textAt(auth, ADD_TO) === 'query' ? 'query' : 'header'}
            options={(['header', 'query'] as const).map((each) => ({ value: each, label: t(`auth.in_${each}`) }))}
            onChange={(chosen: string) => onChange(writeAt(auth, ADD_TO, chosen))}
          />
          <span>{t('auth.key')}</span>
          <ValueField label={t('auth.key')} {...param(CUSTOM, 'Key')} />
          <span>{t('auth.value')}</span>
          <ValueField label={t('auth.value')} {...param(CUSTOM, 'Value')} />
        </>
      )}
    </div>
  )
}

function kindOf(auth: JsonObject): (typeof KINDS)[number] {
  if (readAt(auth, 'authOpen') !== true) return 'none'
  return textAt(auth, 'authType') === 'CUSTOM_AUTH' ? 'custom' : 'bearer'
}

function withKind(auth: JsonObject, kind: (typeof KINDS)[number]): JsonObject {
  if (kind === 'none') return { ...auth, authOpen: false }
  const opened = { ...auth, authOpen: true, authType: kind === 'custom' ? 'CUSTOM_AUTH' : 'BEARER_AUTH' }
  return kind === 'custom' && textAt(auth, ADD_TO) === '' ? writeAt(opened, ADD_TO, 'header') : opened
}

function withParam(auth: JsonObject, { path, name, input }: { path: string; name: string; input: JsonObject }): JsonObject {
  const list = listAt(auth, path)
  const at = list.findIndex((each) => textAt(each, 'name') === name)
  const entry: JsonObject = { name, type: 'string', input }
  return writeAt(auth, path, at < 0 ? [...list, entry] : list.with(at, { ...toObject(list[at]), input }))
}

const toObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
