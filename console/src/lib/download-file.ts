import { send } from './api-client.ts'
import type { ApiQuery } from './api-client.ts'

/** Keeps the answer of a route as a file. Fails with an `ApiError`, where a plain link would leave the page or keep the error as a file. */
export async function downloadFile(path: string, { name, query }: { name: string; query?: ApiQuery }): Promise<void> {
  const response = await send('GET', path, { query })
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS)
}

// the browser reads it after the click has returned
const KEPT_MS = 60_000
