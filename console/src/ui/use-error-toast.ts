import { App } from 'antd'
import { isAbort } from '../lib/api-error.ts'
import { useErrorText } from './error-text.ts'

/** For an action whose failure has no place on the page: `onError: useErrorToast()`. */
export function useErrorToast(): (error: unknown) => void {
  const { notification } = App.useApp()
  const describe = useErrorText()
  return (error) => {
    if (isAbort(error)) return
    const { what, detail, hint } = describe(error)
    notification.error({ title: what, description: detail ?? hint, role: 'alert' })
  }
}
