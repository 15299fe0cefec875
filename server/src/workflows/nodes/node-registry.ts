import type { NodeTypes } from '../engine/compile-graph.ts'
import { aggregatorNode } from './aggregator-node.ts'
import { assignerNode } from './assigner-node.ts'
import { batchNode } from './batch-node.ts'
import { codeNode } from './code-node.ts'
import { commentNode } from './comment-node.ts'
import { conversationNodes } from './conversation-nodes.ts'
import { databaseDeleteNode, databaseInsertNode, databaseUpdateNode } from './database-change-nodes.ts'
import { databaseQueryNode } from './database-query-node.ts'
import { databaseSqlNode } from './database-sql-node.ts'
import { emitterNode } from './emitter-node.ts'
import { entryNode } from './entry-node.ts'
import { exitNode } from './exit-node.ts'
import { fromJsonNode } from './from-json-node.ts'
import { httpNode } from './http-node.ts'
import { inputNode } from './input-node.ts'
import { intentNode } from './intent-node.ts'
import { knowledgeNodes } from './knowledge-nodes.ts'
import { llmNode } from './llm-node.ts'
import { breakNode, continueNode, loopSetVariableNode } from './loop-control-nodes.ts'
import { loopNode } from './loop-node.ts'
import { messageNodes } from './message-nodes.ts'
import { pluginNode } from './plugin-node.ts'
import { questionNode } from './question-node.ts'
import { selectorNode } from './selector-node.ts'
import { subWorkflowNode } from './sub-workflow-node.ts'
import { textNode } from './text-node.ts'
import { toJsonNode } from './to-json-node.ts'

const flow = [entryNode, exitNode, emitterNode, selectorNode, aggregatorNode, commentNode, subWorkflowNode]
const loops = [loopNode, batchNode, breakNode, continueNode, loopSetVariableNode]
const values = [textNode, toJsonNode, fromJsonNode, assignerNode, codeNode]
const asking = [llmNode, intentNode, questionNode, inputNode]
const databases = [databaseQueryNode, databaseInsertNode, databaseUpdateNode, databaseDeleteNode, databaseSqlNode]
const outside = [httpNode, pluginNode, ...conversationNodes, ...messageNodes, ...knowledgeNodes]

/** Every kind of node there is, by its code in a canvas. */
export const nodeTypes: NodeTypes = new Map(
  [...flow, ...loops, ...values, ...asking, ...databases, ...outside].map((type) => [type.code, type]),
)
