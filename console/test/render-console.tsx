import { QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { RouterProvider, createMemoryRouter } from 'react-router'
import { ThemedConsole } from '../src/app/themed-console.tsx'
import { CurrentUserProvider } from '../src/lib/current-user.ts'
import type { CurrentUser } from '../src/lib/current-user.ts'
import { createQueryClient } from '../src/lib/query-client.ts'

export type RenderOptions = {
  /** The address that is open. */
  at?: string
  /** The pattern of the page's route, for `useParams`. */
  path?: string
  user?: CurrentUser
}

const ADA: CurrentUser = { id: '1', email: 'ada@example.com', name: 'Ada', role: 'admin' }

/** A part of the console with all that stands around it. Links to other pages lead to an empty one that shows its address. */
export function renderConsole(children: ReactNode, { at = '/', path = '/', user = ADA }: RenderOptions = {}) {
  const router = createMemoryRouter(
    [
      { path, element: <CurrentUserProvider value={user}>{children}</CurrentUserProvider> },
      { path: '*', element: <p>another page</p> },
    ],
    { initialEntries: [at] },
  )
  const queryClient = createQueryClient()
  const view = render(
    <QueryClientProvider client={queryClient}>
      <ThemedConsole>
        <RouterProvider router={router} />
      </ThemedConsole>
    </QueryClientProvider>,
  )
  return { ...view, router, queryClient, person: userEvent.setup() }
}
