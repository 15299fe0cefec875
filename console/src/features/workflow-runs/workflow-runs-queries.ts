import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { NodeTypeInfo, Workflow } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import type {
  NodeRecord,
  RunGoesOn,
  RunHistoryQuery,
  RunPage,
  TracePage,
  WorkflowRun,
  WorkflowRunItem,
} from '../../../../server/src/http/console/workflow-run-wire.ts'
import { api } from '../../lib/api-client.ts'

export const TRACE_PAGE = 500
const LOOK_AGAIN_MS = 2_000

const at = (runId: string) => `/api/console/workflow-runs/${runId}`

/** For its name. */
export const useRunsWorkflow = (workflowId: string) =>
  useQuery({
    queryKey: ['workflow-runs', workflowId, 'workflow'],
    queryFn: ({ signal }) => api.get<Workflow>(`/api/console/workflows/${workflowId}`, { signal }),
  })

const nodeLabelsQuery = queryOptions({
  queryKey: ['node-types'],
  queryFn: ({ signal }) => api.get<{ items: NodeTypeInfo[] }>('/api/console/node-types', { signal }),
  staleTime: Infinity,
  select: ({ items }) => new Map(items.map(({ code, label }) => [code, label])),
})

/** How kinds of nodes are called, by their code. */
export const useNodeLabels = () => useQuery(nodeLabelsQuery).data

export type RunFilter = Pick<RunHistoryQuery, 'status' | 'kind'> & { page: number; size: number }

/** Looked at again for as long as one of them goes on. */
export const useRunHistory = (workflowId: string, filter: RunFilter) =>
  useQuery({
    queryKey: ['workflow-runs', workflowId, 'list', filter],
    queryFn: ({ signal }) => api.get<RunPage>(`/api/console/workflows/${workflowId}/runs`, { signal, query: filter }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isGoing) ? LOOK_AGAIN_MS : false),
  })

export const useRun = (runId: string) =>
  useQuery({
    queryKey: ['workflow-run', runId],
    queryFn: ({ signal }) => api.get<WorkflowRun>(at(runId), { signal }),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? LOOK_AGAIN_MS : false),
  })

/** `isLive`: looked at again and again. */
export const useTrace = (runId: string, { page, isLive }: { page: number; isLive: boolean }) =>
  useQuery({
    queryKey: ['workflow-run', runId, 'nodes', page, isLive],
    queryFn: ({ signal }) => api.get<TracePage>(`${at(runId)}/nodes`, { signal, query: { page, size: TRACE_PAGE } }),
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? LOOK_AGAIN_MS : false,
  })

export const useWholeNode = (runId: string, path: string, isWanted: boolean) =>
  useQuery({
    queryKey: ['workflow-run', runId, 'node', path],
    queryFn: ({ signal }) => api.get<NodeRecord>(`${at(runId)}/node`, { signal, query: { path } }),
    enabled: isWanted,
  })

export function useAnswerRun(runId: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ eventId, data }: { eventId: string; data: string }) =>
      api.post<RunGoesOn>(`${at(runId)}/answer`, { event_id: eventId, data }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['workflow-run', runId] }),
  })
}

export function useCancelRun(runId: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => api.post<WorkflowRun>(`${at(runId)}/cancel`, {}),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['workflow-run', runId] }),
  })
}

export const isOver = ({ status }: Pick<WorkflowRunItem, 'status'>): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled'
const isGoing = ({ status }: WorkflowRunItem) => status === 'running' || status === 'queued'
