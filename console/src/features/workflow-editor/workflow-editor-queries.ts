import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { PublishRequest, VersionPage } from '../../../../server/src/http/console/agent-wire.ts'
import type { ModelPage } from '../../../../server/src/http/console/model-wire.ts'
import type {
  CheckedWorkflow,
  NodeTypeInfo,
  SavedWorkflow,
  SaveWorkflow,
  Workflow,
  WorkflowPage,
  WorkflowVersion,
} from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { api } from '../../lib/api-client.ts'

const at = (workflowId: string) => `/api/console/workflows/${workflowId}`
const MOST = 100

/** Fresh at every opening: what somebody else has saved since is what this person goes on with. */
export const useWorkflow = (workflowId: string) =>
  useQuery({
    queryKey: ['workflow-editor', workflowId],
    queryFn: ({ signal }) => api.get<Workflow>(at(workflowId), { signal }),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })

export const readWorkflow = (workflowId: string) => api.get<Workflow>(at(workflowId))
export const saveWorkflow = (workflowId: string, request: SaveWorkflow) => api.put<SavedWorkflow>(`${at(workflowId)}/draft`, request)

const nodeTypesQuery = queryOptions({
  queryKey: ['node-types'],
  queryFn: ({ signal }) => api.get<{ items: NodeTypeInfo[] }>('/api/console/node-types', { signal }),
  staleTime: Infinity,
  select: ({ items }) => new Map(items.map((type) => [type.code, type])),
})

/** By their code in a canvas. */
export const useNodeTypes = () => useQuery(nodeTypesQuery)
export type NodeTypeMap = ReadonlyMap<string, NodeTypeInfo>

/** Issues of what is stored; those of the revision before stay until there are new ones. */
export const useCheck = (workflowId: string, revision: string) =>
  useQuery({
    queryKey: ['workflow-editor', workflowId, 'check', revision],
    queryFn: ({ signal }) => api.post<CheckedWorkflow>(`${at(workflowId)}/check`, {}, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    gcTime: 60_000,
  })

export function usePublishWorkflow(workflowId: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (request: PublishRequest) => api.post<Workflow>(`${at(workflowId)}/publish`, request),
    onSuccess: () => forgetLists(queries),
  })
}

export function useUnpublishWorkflow(workflowId: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => api.post<Workflow>(`${at(workflowId)}/unpublish`, {}),
    onSuccess: () => forgetLists(queries),
  })
}

export function useRollBackWorkflow(workflowId: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (version: string) => api.post<Workflow>(`${at(workflowId)}/roll-back`, { version }),
    onSuccess: () => forgetLists(queries),
  })
}

export const useWorkflowVersions = (workflowId: string, { page, size }: { page: number; size: number }) =>
  useQuery({
    queryKey: ['workflow-versions', workflowId, page, size],
    queryFn: ({ signal }) => api.get<VersionPage>(`${at(workflowId)}/versions`, { signal, query: { page, size } }),
    placeholderData: keepPreviousData,
  })

export const readWorkflowVersion = (workflowId: string, version: string) =>
  api.get<WorkflowVersion>(`${at(workflowId)}/versions/${encodeURIComponent(version)}`)

/** A version never changes. */
export const useWorkflowVersion = (workflowId: string, version: string) =>
  useQuery({
    queryKey: ['workflow-versions', workflowId, 'one', version],
    queryFn: ({ signal }) => api.get<WorkflowVersion>(`${at(workflowId)}/versions/${encodeURIComponent(version)}`, { signal }),
  })

/** To choose from in a node's settings. */
export const useModelChoice = () =>
  useQuery({
    queryKey: ['models', 'choice'],
    queryFn: ({ signal }) => api.get<ModelPage>('/api/console/models', { signal, query: { page: 1, size: MOST } }),
    staleTime: 60_000,
  })

export const useWorkflowChoice = (search: string) =>
  useQuery({
    queryKey: ['workflows', 'choice', search],
    queryFn: ({ signal }) => api.get<WorkflowPage>('/api/console/workflows', { signal, query: { page: 1, size: MOST, search } }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })

async function forgetLists(queries: ReturnType<typeof useQueryClient>): Promise<void> {
  await Promise.all(['workflows', 'workflow-versions'].map((name) => queries.invalidateQueries({ queryKey: [name] })))
}
