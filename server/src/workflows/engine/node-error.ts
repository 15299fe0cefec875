/** What went wrong in a node, in words for the builder of the workflow. `code` is one of Coze's numbers. */
export class NodeError extends Error {
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message.slice(0, MAX_CHARS), options)
    this.name = 'NodeError'
    this.code = code
  }
}

const MAX_CHARS = 1000

/** Source: `backend/types/errno/workflow.go` of Coze Studio. */
export const nodeErrors = {
  executionFailed: 720701013,
  missingParameter: 720702002,
  invalidParameter: 720702001,
  templateIndex: 720712014,
  nullIndex: 777777774,
  nodeTimeout: 777777776,
  canceled: 777777777,
  codeFailed: 305000002,
  emptyOptions: 720712049,
  pluginAuthorization: 777777765,
  appNeeded: 702093204,
  conversationNotFound: 720702201,
  conversationFixed: 720702250,
  onlyDefaultConversation: 720712033,
  messageFailed: 777777781,
  conversationFailed: 777777782,
  variablesFailed: 777777764,
  workflowNotFound: 720702004,
  notPublished: 720702011,
  interruptNotSupported: 720702078,
  workflowTimeout: 720702085,
} as const
