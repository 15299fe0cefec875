import { Form, Input, InputNumber, Select } from 'antd'
import type { FormRule } from 'antd'
import type { WireField } from '../../../server/src/http/console/builder-workflow-wire.ts'
import { useTexts } from '../lib/texts.ts'
import type { Translate } from '../lib/texts.ts'
import { GrowingTextArea } from './growing-text-area.tsx'
import { runTexts } from './run-texts.ts'

/** What a form of declared values gives back: by name, empty ones left out. */
export type FormValues = Record<string, unknown>

/** The fields of an antd form for declared values: one `Form.Item` each. Objects and lists are JSON text. */
export function ValueFields({ fields }: { fields: WireField[] }) {
  const t = useTexts(runTexts)
  return fields.map((field) => (
    <Form.Item
      key={field.name}
      name={['values', field.name]}
      label={
        <span>
          <span className="mono">{field.name}</span>
          {field.required && <span aria-hidden> *</span>} <small className="quiet">{wordOf(field)}</small>
        </span>
      }
      extra={field.description === '' ? undefined : field.description}
      initialValue={initialOf(field)}
      rules={rulesOf(field, t)}
    >
      <ValueInput field={field} />
    </Form.Item>
  ))
}

/** Typed as the server wants them: JSON where JSON was asked for. Throws nothing for values that the form has let pass. */
export function toValues(fields: WireField[], typed: Record<string, unknown> | undefined): FormValues {
  const given = fields.flatMap((field): [string, unknown][] => {
    const value = typed?.[field.name]
    if (value === undefined || value === null || value === '') return []
    return [[field.name, typeof value === 'string' ? toValue(value, field) : value]]
  })
  return Object.fromEntries(given)
}

/** What JavaScript cannot hold stays text: the server reads that too. */
function toValue(text: string, { type: { kind } }: WireField): unknown {
  if (kind === 'integer' || kind === 'number') return String(Number(text)) === text ? Number(text) : text
  if (kind !== 'object' && kind !== 'list') return text
  return /\d{16}/.test(text) ? text : parseJson(text)
}

type InputProps = { field: WireField; id?: string; value?: never; onChange?: (value: unknown) => void }

function ValueInput({ field, ...given }: InputProps) {
  const t = useTexts(runTexts)
  switch (field.type.kind) {
    case 'integer':
    case 'number':
      return <InputNumber {...given} stringMode style={{ width: '100%' }} placeholder={field.default ?? undefined} />
    case 'boolean': {
      const options = [
        { value: true, label: t('field.yes') },
        { value: false, label: t('field.no') },
      ]
      return <Select {...given} allowClear={!field.required} options={options} />
    }
    case 'object':
    case 'list':
      return <GrowingTextArea {...given} className="mono" minRows={2} maxRows={12} placeholder={t(`field.${field.type.kind}`)} />
    case 'file':
      return <Input {...given} placeholder={t('field.file')} />
    case 'time':
      return <Input {...given} placeholder={t('field.time')} />
    case 'string':
      return <GrowingTextArea {...given} minRows={1} maxRows={10} dir="auto" />
  }
}

const isJsonKind = ({ type: { kind } }: WireField) => kind === 'object' || kind === 'list'

function wordOf({ type }: WireField): string {
  if (type.kind === 'list') return type.element ? `list of ${type.element.kind}` : 'list'
  return type.kind === 'file' ? (type.file ?? 'file') : type.kind
}

function initialOf({ default: text, type: { kind } }: WireField): unknown {
  if (text === null || text === '') return undefined
  return kind === 'boolean' ? text === 'true' : text
}

function rulesOf(field: WireField, t: Translate<(typeof runTexts)['en']>): FormRule[] {
  const required: FormRule[] = field.required ? [{ required: true, message: t('field.missing', { name: field.name }) }] : []
  if (!isJsonKind(field)) return required
  const message = t('field.not_json', { shape: t(field.type.kind === 'list' ? 'field.list' : 'field.object') })
  const validator = (_rule: unknown, value: unknown) =>
    value === undefined || value === '' || isOfKind(value, field) ? Promise.resolve() : Promise.reject(new Error(message))
  return [...required, { validator }]
}

function isOfKind(text: unknown, { type: { kind } }: WireField): boolean {
  const value = parseJson(String(text))
  return kind === 'list' ? Array.isArray(value) : typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
