import { PictureOutlined } from '@ant-design/icons'
import { memo, useDeferredValue } from 'react'
import Markdown from 'react-markdown'
import type { Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { useTexts } from '../lib/texts.ts'
import styles from './markdown-text.module.css'
import { uiTexts } from './ui-texts.ts'

/**
 * Markdown of a model or of a stranger. Its HTML is shown as text, its links open in a tab that knows nothing of this one and lead to the
 * web only, and a picture is a link: nothing is fetched before somebody asks for it.
 */
export const MarkdownText = memo(function MarkdownText({ text }: { text: string }) {
  // while an answer streams in, typing elsewhere goes first
  const shown = useDeferredValue(text)
  return (
    <div className={styles.markdown} dir="auto">
      <Markdown remarkPlugins={plugins} components={components}>
        {shown}
      </Markdown>
    </div>
  )
})

const plugins = [remarkGfm]

const components: Components = {
  a: ({ href, title, children }) => (
    <a href={href} title={title ?? href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  img: ({ src, alt }) => <PictureLink src={typeof src === 'string' ? src : ''} alt={alt ?? ''} />,
  table: ({ children }) => (
    <div className={styles.wide} tabIndex={0} role="group">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => (
    <pre className={styles.wide} tabIndex={0}>
      {children}
    </pre>
  ),
  // what is too deep for the outline of the page
  h1: ({ children }) => <p className={styles.heading}>{children}</p>,
  h2: ({ children }) => <p className={styles.heading}>{children}</p>,
  h3: ({ children }) => <p className={styles.heading}>{children}</p>,
  h4: ({ children }) => <p className={styles.heading}>{children}</p>,
  h5: ({ children }) => <p className={styles.heading}>{children}</p>,
  h6: ({ children }) => <p className={styles.heading}>{children}</p>,
}

function PictureLink({ src, alt }: { src: string; alt: string }) {
  const t = useTexts(uiTexts)
  const host = URL.canParse(src) ? new URL(src).host : ''
  const label = (
    <>
      <PictureOutlined aria-hidden /> {alt || t('picture')}
    </>
  )
  if (host === '') return <span className={styles.picture}>{label}</span>
  return (
    <a className={styles.picture} href={src} target="_blank" rel="noopener noreferrer nofollow" title={src}>
      {label} <span className="quiet">{t('picture_from', { host })}</span>
    </a>
  )
}
