import { useMemo } from 'react'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import type { PortNaming } from './canvas-ports.ts'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

/** How ports are called, in the language of now. */
export function usePortNaming(): PortNaming {
  const t = useTexts(workflowEditorTexts)
  const language = useLanguage()
  return useMemo(() => {
    const words = {
      otherwise: t('port.otherwise'),
      error: t('port.error'),
      branch: (index: number) => t('port.branch', { number: index + 1 }),
    }
    return { words, language }
  }, [t, language])
}
