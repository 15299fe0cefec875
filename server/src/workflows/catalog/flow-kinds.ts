import { hints, kind, literal, reference, textInput, titled, variable, words } from './node-kind.ts'
import type { NodeKind, Port } from './node-kind.ts'

const NONE: Port[] = []
const START = 'Start'

/** How a run goes: where it begins and ends, where it branches and repeats. */
export const flowKinds: NodeKind[] = [
  kind({
    ...{ code: '1', group: 'flow', label: words(START, '开始'), hasInput: false, canAdd: false },
    description: words('Where a run begins; its outputs are what callers give', '流程的起点,用于设定启动时需要的参数'),
    settings: [{ ...hints.outputs, label: words('Parameters', '参数') }],
    initial: titled(START, { outputs: [variable('input')] }),
  }),
  kind({
    ...{ code: '2', group: 'flow', label: words('End', '结束'), ports: NONE, canAdd: false },
    description: words('Where a run ends; says what callers get', '流程的终点,返回运行结果'),
    settings: [
      {
        ...{ path: 'inputs.terminatePlan', kind: 'select', label: words('Answer with', '回答方式') },
        options: [
          { value: 'returnVariables', label: words('Variables', '返回变量') },
          { value: 'useAnswerContent', label: words('A text', '返回文本') },
        ],
      },
      hints.inputs,
      { path: 'inputs.content.value.content', kind: 'long_text', label: words('Answer', '回答内容') },
      { path: 'inputs.streamingOutput', kind: 'boolean', label: words('As it is written', '流式输出') },
    ],
    initial: titled('End', { inputs: { terminatePlan: 'returnVariables', inputParameters: [{ name: 'output', input: reference() }] } }),
  }),
  kind({
    ...{ code: '13', group: 'flow', label: words('Message', '输出') },
    description: words('Says something while the run goes on', '在流程中间输出消息'),
    settings: [
      hints.inputs,
      { path: 'inputs.content.value.content', kind: 'long_text', label: words('Message', '输出内容') },
      { path: 'inputs.streamingOutput', kind: 'boolean', label: words('As it is written', '流式输出') },
    ],
    initial: titled('Message', {
      inputs: {
        content: literal('string', '{{output}}'),
        streamingOutput: false,
        inputParameters: [{ name: 'output', input: reference() }],
      },
    }),
  }),
  kind({
    ...{ code: '8', group: 'logic', label: words('If', '选择器'), portRule: 'conditions' },
    description: words('Takes the first branch whose condition holds', '满足条件时执行对应的分支'),
    ports: [
      { id: 'true', label: words('if', '如果') },
      { id: 'false', label: words('else', '否则') },
    ],
    settings: [{ path: 'inputs.branches', kind: 'conditions', label: words('Branches', '条件分支') }],
    initial: titled('If', {
      inputs: {
        branches: [
          {
            condition: { logic: 2, conditions: [{ operator: 1, left: { input: reference() }, right: { input: literal('string', '') } }] },
          },
        ],
      },
    }),
  }),
  kind({
    ...{ code: '21', group: 'logic', label: words('Loop', '循环'), hasBody: true },
    description: words('Runs its body again and again, one pass after another', '按次数或数组循环执行'),
    ports: [
      { id: 'loop-output', label: words('', '') },
      { id: 'loop-function-inline-output', label: words('each pass', '循环体') },
    ],
    settings: [
      {
        ...{ path: 'inputs.loopType', kind: 'select', label: words('Repeats', '循环类型') },
        options: [
          { value: 'array', label: words('for each element of a list', '使用数组循环') },
          { value: 'count', label: words('a number of times', '指定循环次数') },
          { value: 'infinite', label: words('until a break', '无限循环') },
        ],
      },
      { path: 'inputs.loopCount', kind: 'value', label: words('Times', '循环次数') },
      { ...hints.inputs, label: words('Lists', '循环数组') },
      { path: 'inputs.variableParameters', kind: 'inputs', label: words('Loop variables', '中间变量') },
      { path: 'outputs', kind: 'inputs', label: words('Results', '输出') },
    ],
    initial: titled('Loop', {
      inputs: {
        loopType: 'count',
        loopCount: literal('integer', '3'),
        ...{ inputParameters: [], variableParameters: [] },
      },
      outputs: [],
    }),
  }),
  kind({
    ...{ code: '28', group: 'logic', label: words('Batch', '批处理'), hasBody: true },
    description: words('Runs its body for each element of its lists, several at once', '批量并行执行'),
    ports: [
      { id: 'batch-output', label: words('', '') },
      { id: 'batch-function-inline-output', label: words('each element', '批处理体') },
    ],
    settings: [
      { ...hints.inputs, label: words('Lists', '批处理数组') },
      { path: 'inputs.batchSize', kind: 'value', label: words('At most', '批处理次数上限') },
      { path: 'inputs.concurrentSize', kind: 'value', label: words('At once', '并行运行数量') },
      { path: 'outputs', kind: 'inputs', label: words('Results', '输出') },
    ],
    initial: titled('Batch', {
      inputs: {
        ...{ concurrentSize: literal('integer', '10'), batchSize: literal('integer', '100') },
        inputParameters: [{ name: 'input', input: { ...reference('list'), schema: { type: 'string' } } }],
      },
      outputs: [],
    }),
  }),
  kind({
    ...{ code: '19', group: 'logic', label: words('Break', '终止循环'), ports: NONE, onlyInBody: true },
    description: words('The loop ends after this pass', '终止当前循环'),
    initial: titled('Break', { inputs: {} }),
  }),
  kind({
    ...{ code: '29', group: 'logic', label: words('Continue', '继续循环'), ports: NONE, onlyInBody: true },
    description: words('Goes to the next pass', '继续执行下一次循环'),
    initial: titled('Continue', { inputs: {} }),
  }),
  kind({
    ...{ code: '20', group: 'logic', label: words('Set loop variable', '设置变量'), onlyInBody: true },
    description: words('Gives variables of the loop a new value', '重置循环变量的值'),
    settings: [{ ...hints.inputs, kind: 'json', label: words('Variables', '变量') }],
    initial: titled('Set loop variable', { inputs: { inputParameters: [{ left: reference(), right: literal('string', '') }] } }),
  }),
  kind({
    ...{ code: '32', group: 'logic', label: words('Merge variables', '变量聚合') },
    description: words('Of each group the first value that is there', '对多个分支的输出进行聚合'),
    settings: [{ path: 'inputs.mergeGroups', kind: 'json', label: words('Groups', '聚合分组') }, hints.outputs],
    initial: titled('Merge variables', {
      inputs: { mergeGroups: [{ name: 'Group1', variables: [reference()] }] },
      outputs: [variable('Group1')],
    }),
  }),
  kind({
    ...{ code: '9', group: 'tools', label: words('Workflow', '工作流'), handlesErrors: true },
    description: words('Runs another workflow as a step', '调用其他工作流'),
    settings: [
      { path: 'inputs.workflowId', kind: 'workflow', label: words('Workflow', '工作流') },
      { path: 'inputs.workflowVersion', kind: 'text', label: words('Version (empty: the draft)', '版本(留空为草稿)') },
      {
        ...{ path: 'inputs.type', kind: 'select', label: words('It answers with', '返回方式') },
        options: [
          { value: 0, label: words('Variables', '变量') },
          { value: 1, label: words('A text', '文本') },
        ],
      },
      hints.inputs,
      hints.outputs,
    ],
    initial: titled('Workflow', {
      inputs: { workflowId: '', workflowVersion: '', spaceId: '', inputDefs: [], type: 0, inputParameters: [] },
      outputs: [],
    }),
  }),
  kind({
    ...{ code: '30', group: 'flow', label: words('Input', '输入') },
    description: words('Waits for a person to fill in a form', '运行中等待用户输入'),
    settings: [{ path: 'inputs.outputSchema', kind: 'long_text', label: words('Fields of the form', '表单字段') }, hints.outputs],
    initial: titled('Input', {
      inputs: { outputSchema: JSON.stringify([{ type: 'string', name: 'input', required: true }]) },
      outputs: [{ ...variable('input'), required: true }],
    }),
  }),
  kind({
    ...{ code: '31', group: 'other', label: words('Comment', '注释'), ports: NONE, hasInput: false },
    description: words('A note for those who read the canvas', '为画布添加说明'),
    settings: [{ path: 'inputs.note', kind: 'long_text', label: words('Note', '内容') }],
    initial: titled('Comment', {
      inputs: { schemaType: 'slate', note: JSON.stringify([{ type: 'paragraph', children: [{ text: '', type: 'text' }] }]) },
      size: { width: 240, height: 150 },
    }),
  }),
  kind({
    ...{ code: '15', group: 'data', label: words('Text', '文本处理') },
    description: words('Puts texts together, or splits one', '拼接或分割文本'),
    settings: [
      {
        ...{ path: 'inputs.method', kind: 'select', label: words('Does', '处理方式') },
        options: [
          { value: 'concat', label: words('Put together', '字符串拼接') },
          { value: 'split', label: words('Split', '字符串分隔') },
        ],
      },
      hints.inputs,
      { path: 'inputs.concatParams', param: 'concatResult', kind: 'long_text', label: words('Text', '拼接内容') },
      { path: 'inputs.concatParams', param: 'arrayItemConcatChar', kind: 'text', label: words('Between elements of lists', '数组连接符') },
      { path: 'inputs.splitParams', param: 'delimiters', kind: 'texts', label: words('Split at', '分隔符') },
      hints.outputs,
    ],
    initial: titled('Text', {
      inputs: {
        method: 'concat',
        inputParameters: [{ name: 'String1', input: reference() }],
        concatParams: [textInput('concatResult', '{{String1}}'), textInput('arrayItemConcatChar', ',')],
      },
      outputs: [{ ...variable('output'), required: true }],
    }),
  }),
]
