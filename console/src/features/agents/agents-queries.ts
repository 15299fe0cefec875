import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type {
  Agent,
  AgentDiff,
  AgentListQuery,
  AgentPage,
  AgentTemplate,
  NewAgent,
  PublishRequest,
  SaveDraft,
  ToolCheck,
  Uploaded,
  VersionDetail,
  VersionPage,
} from '../../../../server/src/http/console/agent-wire.ts'
import type { ModelPage } from '../../../../server/src/http/console/model-wire.ts'
import type { WorkflowPage } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { api } from '../../lib/api-client.ts'
import type { Language } from '../../lib/languages.ts'

const AGENTS = '/api/console/agents'
const MOST = 100

export type AgentFilter = Pick<AgentListQuery, 'page' | 'size' | 'search' | 'status'>

/** A page of the list; while the next one is on the way the one before stays. */
export const useAgents = ({ page, size, search, status }: { page: number; size: number; search: string; status: AgentFilter['status'] }) =>
  useQuery({
    queryKey: ['agents', 'list', { page, size, search, status }],
    queryFn: ({ signal }) => api.get<AgentPage>(AGENTS, { query: { page, size, search, status }, signal }),
    placeholderData: keepPreviousData,
  })

export const useAgentTemplates = (language: Language) =>
  useQuery({
    queryKey: ['agents', 'templates', language],
    queryFn: ({ signal }) => api.get<{ items: AgentTemplate[] }>('/api/console/agent-templates', { query: { language }, signal }),
    staleTime: Infinity,
  })

const agentQuery = (id: string) =>
  queryOptions({ queryKey: ['agents', 'one', id], queryFn: ({ signal }) => api.get<Agent>(`${AGENTS}/${id}`, { signal }) })

/** As it is known here: what an editor saves or publishes shows at once. */
export const useAgent = (id: string) => useQuery(agentQuery(id))

/** For an editor to begin with: as the server has it at that moment, never what was read before, and not read again behind its back. */
export const useAgentToEdit = (id: string) =>
  useQuery({ queryKey: ['agents', 'to_edit', id], queryFn: ({ signal }) => fetchAgent(id, signal), staleTime: Infinity, gcTime: 0 })

/** As the server has it now, whoever has changed it. */
export const useStoredAgent = (id: string) =>
  useQuery({ queryKey: ['agents', 'stored', id], queryFn: ({ signal }) => fetchAgent(id, signal), staleTime: 0, gcTime: 0 })

export const fetchAgent = (id: string, signal?: AbortSignal): Promise<Agent> => api.get<Agent>(`${AGENTS}/${id}`, { signal })

export const putDraft = (id: string, draft: SaveDraft): Promise<Agent> => api.put<Agent>(`${AGENTS}/${id}/draft`, draft)

/** Tells every part of the page what the server has answered. */
export function useRememberAgent() {
  const queries = useQueryClient()
  return (agent: Agent) => {
    queries.setQueryData(agentQuery(agent.id).queryKey, agent)
    void queries.invalidateQueries({ queryKey: ['agents', 'list'] })
    void queries.invalidateQueries({ queryKey: ['agents', 'diff', agent.id] })
    void queries.invalidateQueries({ queryKey: ['agents', 'versions', agent.id] })
  }
}

export function useCreateAgent() {
  const remember = useRememberAgent()
  return useMutation({ mutationFn: (wanted: NewAgent) => api.post<Agent>(AGENTS, wanted), onSuccess: remember })
}

/** `name` is the agent's, as its person has typed it. */
export function useDeleteAgent() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) => api.delete(`${AGENTS}/${id}`, { name }),
    onSuccess: (_answer, { id }) => {
      queries.removeQueries({ queryKey: ['agents', 'one', id] })
      return queries.invalidateQueries({ queryKey: ['agents', 'list'] })
    },
  })
}

export const useAgentDiff = (id: string) =>
  useQuery({
    queryKey: ['agents', 'diff', id],
    queryFn: ({ signal }) => api.get<AgentDiff>(`${AGENTS}/${id}/diff`, { signal }),
    staleTime: 0,
    gcTime: 0,
  })

export function usePublishAgent(id: string) {
  const remember = useRememberAgent()
  return useMutation({ mutationFn: (request: PublishRequest) => api.post<Agent>(`${AGENTS}/${id}/publish`, request), onSuccess: remember })
}

export const useVersions = (id: string, page: { page: number; size: number }) =>
  useQuery({
    queryKey: ['agents', 'versions', id, page],
    queryFn: ({ signal }) => api.get<VersionPage>(`${AGENTS}/${id}/versions`, { query: page, signal }),
    placeholderData: keepPreviousData,
  })

export const useVersion = (id: string, version: string) =>
  useQuery({
    queryKey: ['agents', 'version', id, version],
    queryFn: ({ signal }) => api.get<VersionDetail>(`${AGENTS}/${id}/versions/${encodeURIComponent(version)}`, { signal }),
  })

export function useRollBack(id: string) {
  const remember = useRememberAgent()
  return useMutation({ mutationFn: (version: string) => api.post<Agent>(`${AGENTS}/${id}/roll-back`, { version }), onSuccess: remember })
}

export function useUnpublish(id: string) {
  const remember = useRememberAgent()
  return useMutation({ mutationFn: () => api.post<Agent>(`${AGENTS}/${id}/unpublish`, {}), onSuccess: remember })
}

/** Asks the servers of the stored draft's tools; may take seconds. */
export const useToolCheck = (id: string) => useMutation({ mutationFn: () => api.get<ToolCheck>(`${AGENTS}/${id}/tools`) })

export const useUploadFile = () =>
  useMutation({
    mutationFn: (file: File) => api.post<Uploaded>(`/api/console/files?${new URLSearchParams({ name: file.name }).toString()}`, file),
  })

/** Names to choose from. */
export const useModelNames = () =>
  useQuery({
    queryKey: ['agents', 'models'],
    queryFn: ({ signal }) => api.get<ModelPage>('/api/console/models', { query: { page: 1, size: MOST }, signal }),
    select: ({ items }) => items.map(({ name }) => name),
  })

/** Published ones whose name or id has the text. */
export const usePublishedWorkflows = (mode: 'workflow' | 'chatflow', search: string) =>
  useQuery({
    queryKey: ['agents', 'workflows', mode, search],
    queryFn: ({ signal }) =>
      api.get<WorkflowPage>('/api/console/workflows', { query: { page: 1, size: MOST, status: 'published', mode, search }, signal }),
    select: ({ items }) => items.map(({ id, name }) => ({ id, name })),
    placeholderData: keepPreviousData,
  })
