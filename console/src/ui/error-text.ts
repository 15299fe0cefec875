import { ApiError } from '../lib/api-error.ts'
import type { ApiFailure } from '../lib/api-error.ts'
import { useTexts } from '../lib/texts.ts'
import { uiTexts } from './ui-texts.ts'

export type ErrorText = {
  what: string
  /** The server's own sentence, where it says more than `what`. */
  detail: string | undefined
  hint: string
  requestId: string | undefined
}

const EXPLAINED_BY_SERVER: ApiFailure[] = ['refused', 'conflict', 'throttled']

/** In the language of the console. */
export function useErrorText(): (error: unknown) => ErrorText {
  const t = useTexts(uiTexts)
  return (error) => {
    if (!(error instanceof ApiError)) {
      return { what: t('failure.unknown.what'), hint: t('failure.unknown.hint'), detail: undefined, requestId: undefined }
    }
    const { failure, message, requestId, retryAfterMs } = error
    const seconds = retryAfterMs && Math.ceil(retryAfterMs / 1000)
    return {
      what: t(`failure.${failure}.what`),
      detail: EXPLAINED_BY_SERVER.includes(failure) ? message : undefined,
      hint: failure === 'throttled' && seconds ? t('failure.throttled_for.hint', { count: seconds }) : t(`failure.${failure}.hint`),
      requestId: failure === 'broken' || failure === 'unavailable' ? requestId : undefined,
    }
  }
}
