import { Input } from 'antd'
import type { TextAreaProps } from 'antd/es/input'
import type { TextAreaRef } from 'antd/es/input/TextArea'
import type { Ref } from 'react'

export type GrowingTextAreaProps = Omit<TextAreaProps, 'autoSize' | 'rows'> & { minRows?: number; maxRows?: number; ref?: Ref<TextAreaRef> }

const LINE_PX = 22
const AROUND_PX = 10

/**
 * A field for text that is as high as its text. In the place of Ant Design's `autoSize`, whose measuring the content security policy forbids;
 * a browser that cannot size fields shows `minRows` with a scroll bar.
 */
export function GrowingTextArea({ minRows = 2, maxRows = 10, style, ...props }: GrowingTextAreaProps) {
  const height = { minHeight: minRows * LINE_PX + AROUND_PX, maxHeight: maxRows * LINE_PX + AROUND_PX }
  return <Input.TextArea {...props} rows={minRows} style={{ ...height, fieldSizing: 'content', resize: 'vertical', ...style }} />
}
