import { QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import { RouterProvider } from 'react-router'
import { createQueryClient } from '../lib/query-client.ts'
import { createConsoleRouter } from './console-router.tsx'
import { ThemedConsole } from './themed-console.tsx'

/** The whole of the console. */
export function ConsoleApp() {
  const [queryClient] = useState(createQueryClient)
  const [router] = useState(createConsoleRouter)

  return (
    <QueryClientProvider client={queryClient}>
      <ThemedConsole>
        <RouterProvider router={router} />
      </ThemedConsole>
    </QueryClientProvider>
  )
}
