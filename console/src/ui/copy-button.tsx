import { CheckOutlined, CopyOutlined } from '@ant-design/icons'
import { App, Button } from 'antd'
import type { ButtonProps } from 'antd'
import { useEffect, useState } from 'react'
import { useTexts } from '../lib/texts.ts'
import { uiTexts } from './ui-texts.ts'

export type CopyButtonProps = Pick<ButtonProps, 'type' | 'size'> & {
  text: string
  /** What is copied, for the button's name; "Copy" without it. */
  label?: string
  /** Shows only the icon. */
  bare?: boolean
}

const SHOWN_MS = 2_000

/** Copies, and says so for a moment. */
export function CopyButton({ text, label, bare = false, ...look }: CopyButtonProps) {
  const t = useTexts(uiTexts)
  const { message } = App.useApp()
  const [isCopied, setCopied] = useState(false)

  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [isCopied])

  const copy = async () => {
    if (await copyText(text)) setCopied(true)
    else void message.warning(t('copy_failed'))
  }
  const name = isCopied ? t('copied') : (label ?? t('copy'))

  return (
    <Button
      {...look}
      icon={isCopied ? <CheckOutlined /> : <CopyOutlined />}
      onClick={() => void copy()}
      aria-label={name}
      aria-live="polite"
    >
      {bare ? undefined : name}
    </Button>
  )
}

/** @NOTE browsers have `navigator.clipboard` on https and localhost only; a console on plain http needs the old way */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  // inside of a dialog the focus may not leave it
  const place = document.activeElement?.parentElement ?? document.body
  place.append(area)
  area.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without https
  const isDone = document.execCommand('copy')
  area.remove()
  return isDone
}
