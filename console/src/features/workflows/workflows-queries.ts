import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type {
  CreatedWorkflow,
  NewWorkflow,
  WorkflowItem,
  WorkflowListQuery,
  WorkflowPage,
} from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { api } from '../../lib/api-client.ts'

const WORKFLOWS = '/api/console/workflows'

export type WorkflowFilter = Pick<WorkflowListQuery, 'search' | 'mode' | 'status'> & { page: number; size: number }

export const useWorkflows = (filter: WorkflowFilter) =>
  useQuery({
    queryKey: ['workflows', 'list', filter],
    queryFn: ({ signal }) => api.get<WorkflowPage>(WORKFLOWS, { signal, query: filter }),
    placeholderData: keepPreviousData,
  })

export function useCreateWorkflow() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (workflow: NewWorkflow) => api.post<CreatedWorkflow>(WORKFLOWS, workflow),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['workflows'] }),
  })
}

export function useDeleteWorkflow() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, name }: Pick<WorkflowItem, 'id' | 'name'>) => api.delete(`${WORKFLOWS}/${id}`, { name }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['workflows'] }),
  })
}
