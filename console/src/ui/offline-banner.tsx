import { Alert } from 'antd'
import { useSyncExternalStore } from 'react'
import { useTexts } from '../lib/texts.ts'
import { uiTexts } from './ui-texts.ts'

/** Shown for as long as the browser has no network. */
export function OfflineBanner() {
  const t = useTexts(uiTexts)
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine)
  return isOnline ? null : <Alert role="status" type="warning" banner title={t('offline')} />
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}
