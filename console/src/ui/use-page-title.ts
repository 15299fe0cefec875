import { useEffect } from 'react'

/** The title of the browser's tab, for as long as the page is shown. `PageHeader` does it for pages that have one. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Coze Plus`
  }, [title])
}
