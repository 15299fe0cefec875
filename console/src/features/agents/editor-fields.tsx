import { Form } from 'antd'
import { useId } from 'react'
import type { ReactNode } from 'react'

export type EditorFieldProps = {
  label: string
  hint?: ReactNode
  error?: string
  /** Gets the id that the label points to. */
  children: (id: string) => ReactNode
}

/** A labelled field whose value is in the draft, not in a form. */
export function EditorField({ label, hint, error, children }: EditorFieldProps) {
  const id = useId()
  return (
    <Form.Item
      label={label}
      htmlFor={id}
      help={error}
      extra={hint}
      validateStatus={error === undefined ? undefined : 'error'}
      layout="vertical"
    >
      {children(id)}
    </Form.Item>
  )
}
