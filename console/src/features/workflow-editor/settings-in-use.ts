import { textAt } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'

/** Settings that count only where another one has a certain value; all others always do. A value that is not there hides nothing. */
export function isInUse(data: JsonObject, path: string): boolean {
  return (conditions[path] ?? []).every(([other, value]) => {
    const found = textAt(data, other)
    return found === '' || found === value
  })
}

const answered = ['inputs.terminatePlan', 'useAnswerContent'] as const
const chosen = ['inputs.answer_type', 'option'] as const
const typed = ['inputs.answer_type', 'text'] as const
const bodyOf = (type: string) => [['inputs.body.bodyType', type]] as const

const conditions: Record<string, readonly (readonly [path: string, value: string])[]> = {
  'inputs.content.value.content': [answered],
  'inputs.streamingOutput': [answered],
  'inputs.loopCount': [['inputs.loopType', 'count']],
  'inputs.concatParams': [['inputs.method', 'concat']],
  'inputs.splitParams': [['inputs.method', 'split']],
  'inputs.option_type': [chosen],
  'inputs.options': [chosen, ['inputs.option_type', 'static']],
  'inputs.dynamic_option': [chosen, ['inputs.option_type', 'dynamic']],
  'inputs.extra_output': [typed],
  'inputs.limit': [typed],
  'inputs.body.bodyData.json': bodyOf('JSON'),
  'inputs.body.bodyData.rawText': bodyOf('RAW_TEXT'),
  'inputs.body.bodyData.formData.data': bodyOf('FORM_DATA'),
  'inputs.body.bodyData.formURLEncoded': bodyOf('FORM_URLENCODED'),
  'inputs.body.bodyData.binary.fileURL': bodyOf('BINARY'),
}
