import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { renderConsole } from '../../test/render-console.tsx'
import { MarkdownText } from './markdown-text.tsx'

test('markdown is shown as such', () => {
  renderConsole(<MarkdownText text={'**bold** and `code`\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |'} />)
  expect(screen.getByText('bold').tagName).toBe('STRONG')
  expect(screen.getAllByRole('listitem')).toHaveLength(2)
  expect(screen.getByRole('table')).toBeDefined()
})

test('HTML is text: no script, no element of its', () => {
  const { container } = renderConsole(
    <MarkdownText text={'<img src=x onerror="alert(1)"> <script>alert(2)</script> <iframe src="https://evil.example"></iframe>'} />,
  )
  expect(container.querySelector('img, script, iframe')).toBeNull()
  expect(container.textContent).toContain('<script>')
})

test('a picture is a link: nothing is fetched before somebody clicks', () => {
  const { container } = renderConsole(<MarkdownText text="![a cat](https://evil.example/cat.png?secret=1)" />)
  expect(container.querySelector('img')).toBeNull()
  const link = screen.getByRole('link', { name: /a cat.*evil\.example/ })
  expect(link.getAttribute('rel')).toContain('noreferrer')
})

test.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,<script>alert(1)</script>', 'vbscript:x'])(
  'a link to %s leads nowhere',
  (url) => {
    const { container } = renderConsole(<MarkdownText text={`[click](${url})`} />)
    expect(container.querySelector('a')?.getAttribute('href') ?? '').toBe('')
  },
)
