import { Segmented, Select } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { isObject, readAt, textAt, toJsonText, toPlainText, writeAt } from './canvas-json.ts'
import type { Json, JsonObject } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import styles from './node-panel.module.css'
import { SourceSelect } from './source-select.tsx'
import { toTypeWord, typeOf, typeWords, withType } from './type-words.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

export type ValueFieldProps = {
  node: CanvasNode
  /** What the value is for, for screen readers. */
  label: string
  /** `{type, value}`; nothing is an empty text. */
  value: Json | undefined
  onChange: (value: JsonObject) => void
}

/** A literal, or a reference to the output of a node. */
export function ValueField({ node, label, value, onChange }: ValueFieldProps) {
  const t = useTexts(workflowEditorTexts)
  const input: JsonObject = isObject(value) ? value : EMPTY
  const kind = textAt(input, 'value.type')
  if (kind === 'object_ref') return <p className="quiet">{t('field.composed')}</p>

  const isRef = kind === 'ref'
  const change = (toRef: boolean) => onChange({ ...typeOf(input), value: toRef ? NO_REFERENCE : { type: 'literal', content: '' } })
  return (
    <div className={styles.value}>
      <Segmented
        size="small"
        aria-label={`${label}: ${t('field.value')}`}
        value={isRef}
        onChange={change}
        options={[
          { value: false, label: t('field.literal') },
          { value: true, label: t('field.reference') },
        ]}
      />
      {isRef ? (
        <SourceSelect node={node} label={`${label}: ${t('field.source')}`} value={input} onChange={onChange} />
      ) : (
        <Literal label={label} input={input} onChange={onChange} />
      )}
    </div>
  )
}

const EMPTY: JsonObject = { type: 'string', value: { type: 'literal', content: '' } }
const NO_REFERENCE: JsonObject = { type: 'ref', content: { source: 'block-output', blockID: '', name: '' } }

type LiteralProps = { label: string; input: JsonObject; onChange: (value: JsonObject) => void }

function Literal({ label, input, onChange }: LiteralProps) {
  const t = useTexts(workflowEditorTexts)
  const word = toTypeWord(input)
  const content = readAt(input, 'value.content')
  const text = typeof content === 'object' && content !== null ? toJsonOrText(content) : toPlainText(content)
  const write = (given: Json) => onChange(writeAt(writeAt(input, 'value.type', 'literal'), 'value.content', given))
  const options = typeWords.map((each) => ({ value: each, label: each.replace(':', ' of ') }))

  return (
    <div className={styles.literal}>
      <Select
        size="small"
        aria-label={`${label}: ${t('field.type')}`}
        value={word}
        options={options}
        showSearch
        popupMatchSelectWidth={false}
        onChange={(chosen: string) => onChange(withContent(withType(input, chosen), chosen))}
      />
      {word === 'boolean' ? (
        <Select
          size="small"
          aria-label={label}
          value={text === 'true'}
          onChange={write}
          options={[
            { value: true, label: 'true' },
            { value: false, label: 'false' },
          ]}
        />
      ) : (
        <GrowingTextArea
          size="small"
          aria-label={label}
          value={text}
          onChange={(event) => write(toContent(event.target.value, word))}
          minRows={1}
          maxRows={6}
          dir="auto"
        />
      )}
    </div>
  )
}

const toJsonOrText = (content: Json) => (isObject(content) || Array.isArray(content) ? toJsonText(content) : toPlainText(content))

/** Numbers are numbers as soon as they are complete; lists and objects are JSON text, as Coze Studio writes them. */
function toContent(text: string, word: string): Json {
  if (word !== 'integer' && word !== 'float') return text
  return text !== '' && String(Number(text)) === text ? Number(text) : text
}

function withContent(input: JsonObject, word: string): JsonObject {
  if (word !== 'boolean') return input
  return writeAt(input, 'value.content', toPlainText(readAt(input, 'value.content')) === 'true')
}
