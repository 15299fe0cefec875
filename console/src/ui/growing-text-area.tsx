import { Input } from 'antd'
import type { TextAreaProps } from 'antd/es/input'
import type { TextAreaRef } from 'antd/es/input/TextArea'
import type { Ref } from 'react'

export type GrowingTextAreaProps = Omit<TextAreaProps, 'autoSize' | 'rows'> & { minRows?: number; maxRows?: number; ref?: Ref<TextAreaRef> }

const LINE_PX = 22
const AROUND_PX = 10
/** Characters that fill any field; measuring many more at each key makes typing slow. */
const LONG = 20_000

/**
 * A field for text that is as high as its text. In the place of Ant Design's `autoSize`, whose measuring the content security policy forbids;
 * a browser that cannot size fields shows `minRows` with a scroll bar.
 */
export function GrowingTextArea({ minRows = 2, maxRows = 10, style, ...props }: GrowingTextAreaProps) {
  const isLong = typeof props.value === 'string' && props.value.length > LONG
  const rows = isLong ? maxRows : minRows
  const height = { minHeight: rows * LINE_PX + AROUND_PX, maxHeight: maxRows * LINE_PX + AROUND_PX }
  const fieldSizing = isLong ? 'fixed' : 'content'
  return <Input.TextArea {...props} rows={rows} style={{ ...height, fieldSizing, resize: 'vertical', ...style }} />
}
