import { Navigate, createBrowserRouter } from 'react-router'
import type { RouteObject } from 'react-router'
import { ConsoleLayout } from './console-layout.tsx'
import { CrashPage } from './crash-page.tsx'
import { NotFoundPage } from './not-found-page.tsx'
import { SignedInOnly } from './signed-in-only.tsx'

export const createConsoleRouter = () => createBrowserRouter(routes)

/** Pages are loaded when they are opened. A page's name in the address is its link for ever: old ones redirect. */
const signedInPages: RouteObject[] = [
  { index: true, element: <Navigate to="/agents" replace /> },
  { path: 'agents', lazy: async () => ({ Component: (await import('./pages/agents-page.tsx')).AgentsPage }) },
  { path: 'agents/:botId', lazy: async () => ({ Component: (await import('./pages/agent-editor-page.tsx')).AgentEditorPage }) },
  { path: 'agents/:botId/api', lazy: async () => ({ Component: (await import('./pages/agent-api-page.tsx')).AgentApiPage }) },
  {
    path: 'agents/:botId/versions',
    lazy: async () => ({ Component: (await import('./pages/agent-versions-page.tsx')).AgentVersionsPage }),
  },
  { path: 'keys', lazy: async () => ({ Component: (await import('./pages/api-keys-page.tsx')).ApiKeysPage }) },
  { path: 'workflows', lazy: async () => ({ Component: (await import('./pages/workflows-page.tsx')).WorkflowsPage }) },
  {
    path: 'workflows/:workflowId',
    lazy: async () => ({ Component: (await import('./pages/workflow-editor-page.tsx')).WorkflowEditorPage }),
  },
  {
    path: 'workflows/:workflowId/runs',
    lazy: async () => ({ Component: (await import('./pages/workflow-runs-page.tsx')).WorkflowRunsPage }),
  },
  {
    path: 'workflows/:workflowId/runs/:runId',
    lazy: async () => ({ Component: (await import('./pages/workflow-trace-page.tsx')).WorkflowTracePage }),
  },
  { path: 'conversations', lazy: async () => ({ Component: (await import('./pages/conversations-page.tsx')).ConversationsPage }) },
  {
    path: 'conversations/:conversationId',
    lazy: async () => ({ Component: (await import('./pages/conversation-page.tsx')).ConversationPage }),
  },
  { path: 'usage', lazy: async () => ({ Component: (await import('./pages/usage-page.tsx')).UsagePage }) },
  { path: 'settings', element: <Navigate to="/settings/models" replace /> },
  { path: 'settings/:section', lazy: async () => ({ Component: (await import('./pages/settings-page.tsx')).SettingsPage }) },
  { path: 'password', lazy: async () => ({ Component: (await import('./pages/password-page.tsx')).PasswordPage }) },
  { path: '*', element: <NotFoundPage /> },
]

const routes: RouteObject[] = [
  {
    ErrorBoundary: CrashPage,
    // while the first page is loaded there is nothing to show yet
    HydrateFallback: () => null,
    children: [
      { path: 'sign-in', lazy: async () => ({ Component: (await import('./pages/sign-in-page.tsx')).SignInPage }) },
      { path: 'set-up', lazy: async () => ({ Component: (await import('./pages/set-up-page.tsx')).SetUpPage }) },
      {
        Component: SignedInOnly,
        children: [{ Component: ConsoleLayout, children: [{ ErrorBoundary: CrashPage, children: signedInPages }] }],
      },
    ],
  },
]
