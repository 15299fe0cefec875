import { screen, waitFor } from '@testing-library/react'
import { useState } from 'react'
import { describe, expect, test } from 'vitest'
import { renderConsole } from '../../test/render-console.tsx'
import { ApiError } from '../lib/api-error.ts'
import { changeLanguage } from '../lib/texts.ts'
import { ConfirmDanger } from './confirm-danger.tsx'
import { CopyButton } from './copy-button.tsx'
import { ErrorNotice } from './error-notice.tsx'
import { PageHeader } from './page-header.tsx'
import { TimeText } from './time-text.tsx'

describe('an error', () => {
  test('of the server’s rules is told in its own words', () => {
    renderConsole(<ErrorNotice error={new ApiError({ status: 422, message: 'name: is too long' })} />)
    expect(screen.getByRole('alert').textContent).toContain('name: is too long')
  })

  test('of the server itself names the request, and can be tried again', async () => {
    let tries = 0
    const error = new ApiError({ status: 500, message: 'internal server error', requestId: 'req_7' })
    const { person } = renderConsole(<ErrorNotice error={error} onRetry={() => tries++} />)
    expect(screen.getByRole('alert').textContent).toContain('Request req_7')
    expect(screen.getByRole('alert').textContent).not.toContain('internal server error')
    await person.click(screen.getByRole('button', { name: 'Try again' }))
    expect(tries).toBe(1)
  })

  test('that says when to come back is told so', () => {
    renderConsole(<ErrorNotice error={new ApiError({ status: 429, message: 'too many attempts', retryAfterMs: 90_000 })} />)
    expect(screen.getByRole('alert').textContent).toContain('Try again in 90 seconds.')
  })

  test('of our own code shows nothing of its insides', () => {
    renderConsole(<ErrorNotice error={new TypeError('x.y is undefined')} />)
    expect(screen.getByRole('alert').textContent).not.toContain('undefined')
  })
})

describe('before something is lost', () => {
  function Deletion({ onConfirm }: { onConfirm: () => Promise<unknown> }) {
    const [isOpen, setOpen] = useState(true)
    const words = { title: 'Delete the key “shop”?', consequence: 'Programs with it are refused.', action: 'Delete key' }
    return <ConfirmDanger open={isOpen} {...words} typeToConfirm="shop" onConfirm={onConfirm} onClose={() => setOpen(false)} />
  }

  test('the name must be typed; then it is done and the dialog is gone', async () => {
    let calls = 0
    const { person } = renderConsole(<Deletion onConfirm={async () => calls++} />)
    const button = await screen.findByRole('button', { name: 'Delete key' })
    expect(button.matches(':disabled')).toBe(true)
    await person.type(screen.getByLabelText('Type shop to confirm'), 'shop')
    await person.click(button)

    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(calls).toBe(1)
  })

  test('a failure keeps the dialog and says why', async () => {
    const refused = new ApiError({ status: 409, message: 'the key is in use' })
    const { person } = renderConsole(<Deletion onConfirm={() => Promise.reject(refused)} />)
    await person.type(await screen.findByLabelText('Type shop to confirm'), 'shop{Enter}')
    expect((await screen.findByRole('alert')).textContent).toContain('the key is in use')
    expect(screen.getByRole('dialog', { name: 'Delete the key “shop”?' })).toBeTruthy()
  })
})

test('what is copied is on the clipboard, and the button says so', async () => {
  const { person } = renderConsole(<CopyButton text="pat_123" label="Copy the key" />)
  await person.click(screen.getByRole('button', { name: 'Copy the key' }))
  await screen.findByRole('button', { name: 'Copied' })
  expect(await navigator.clipboard.readText()).toBe('pat_123')
})

test('a page names itself in its heading and in the tab', () => {
  renderConsole(<PageHeader title="API keys" description="For programs" backTo="/agents" />)
  expect(screen.getByRole('heading', { level: 1, name: 'API keys' })).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Back' }).getAttribute('href')).toBe('/agents')
  expect(document.title).toBe('API keys · Coze Plus')
})

test('times are said as people say them, in their language', async () => {
  renderConsole(
    <>
      <TimeText ms={Date.now() - 3 * 60_000} />
      <TimeText ms={0} />
    </>,
  )
  expect(screen.getByText('3 minutes ago').getAttribute('datetime')).toMatch(/^\d{4}-/)
  expect(screen.getByText('never')).toBeTruthy()
  await changeLanguage('zh')
  expect(await screen.findByText('3分钟前')).toBeTruthy()
  await changeLanguage('en')
})
