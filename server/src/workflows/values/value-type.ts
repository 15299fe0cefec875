/** The types a canvas declares. `integer` has 64 bits; `time` and `file` are texts, a file's being its URL. */
export type ValueType =
  | { kind: 'string' | 'integer' | 'number' | 'boolean' | 'time' }
  | { kind: 'file'; file: FileKind }
  /** Without fields: any object. */
  | { kind: 'object'; fields?: Field[] }
  /** Without an element type: a list of anything. */
  | { kind: 'list'; element?: ValueType }

export type FileKind = 'file' | 'image' | 'doc' | 'code' | 'ppt' | 'txt' | 'excel' | 'audio' | 'zip' | 'video' | 'svg' | 'voice'

/** A declared input or output. */
export type Field = {
  name: string
  type: ValueType
  required: boolean
  description: string
  /** As the canvas has it: for lists and objects JSON text. */
  defaultText?: string
}
