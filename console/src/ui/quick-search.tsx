import { SearchOutlined } from '@ant-design/icons'
import { Input } from 'antd'
import { useEffect, useState } from 'react'

export type QuickSearchProps = {
  /** What it searches in: "Search by name or id". */
  label: string
  value: string
  /** Comes when the typing pauses. */
  onChange: (value: string) => void
}

const PAUSE_MS = 300
const MOST_CHARS = 200

export function QuickSearch({ label, value, onChange }: QuickSearchProps) {
  const [typed, setTyped] = useState(value)
  const [known, setKnown] = useState(value)
  if (known !== value) {
    setKnown(value)
    setTyped(value)
  }

  useEffect(() => {
    if (typed.trim() === value) return
    const timer = setTimeout(() => onChange(typed.trim()), PAUSE_MS)
    return () => clearTimeout(timer)
  })

  return (
    <Input
      type="search"
      prefix={<SearchOutlined aria-hidden />}
      aria-label={label}
      placeholder={label}
      maxLength={MOST_CHARS}
      allowClear
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      style={{ flex: '0 1 300px', minWidth: 200 }}
    />
  )
}
