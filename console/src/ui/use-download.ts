import { useState } from 'react'
import type { ApiQuery } from '../lib/api-client.ts'
import { downloadFile } from '../lib/download-file.ts'
import { useErrorToast } from './use-error-toast.ts'

/** For a button that keeps a file; what goes wrong is told in a notification. */
export function useDownload() {
  const [isBusy, setBusy] = useState(false)
  const showError = useErrorToast()

  const start = async (path: string, file: { name: string; query?: ApiQuery }): Promise<void> => {
    setBusy(true)
    try {
      await downloadFile(path, file)
    } catch (error) {
      showError(error)
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, start }
}
