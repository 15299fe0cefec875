import { hints, kind, listVariable, literal, reference, textInput, titled, variable, words } from './node-kind.ts'
import type { NodeKind, SettingHint } from './node-kind.ts'

const CODE = `async def main(args: Args) -> Output:
    params = args.params
    return {"output": params["input"]}
`

const modelHints: SettingHint[] = [
  { path: 'inputs.llmParam', param: 'modelType', kind: 'model', label: words('Model', '模型') },
  { path: 'inputs.llmParam', param: 'temperature', kind: 'number', label: words('Temperature', '生成随机性') },
  { path: 'inputs.llmParam', param: 'maxTokens', kind: 'number', label: words('Tokens at most', '最大回复长度') },
  { path: 'inputs.llmParam', param: 'systemPrompt', kind: 'long_text', label: words('System prompt', '系统提示词') },
]

const params = (values: Record<string, [string, unknown]>) =>
  Object.entries(values).map(([name, [type, content]]) => ({ name, input: literal(type, content) }))

const databaseHint: SettingHint = {
  path: 'inputs.databaseInfoList[0].databaseInfoID',
  kind: 'text',
  label: words('Table (its id)', '数据表 ID'),
}
const rows = [listVariable('outputList', []), variable('rowNum', 'integer')]
const table = { databaseInfoList: [{ databaseInfoID: '' }] }
const knowledge = { datasetParam: [{ name: 'datasetList', input: { ...literal('list', []), schema: { type: 'string' } } }] }
const knowledgeHint: SettingHint = {
  ...{ path: 'inputs.datasetParam', param: 'datasetList', kind: 'texts', label: words('Knowledge bases (ids)', '知识库 ID') },
}

/** What does the work: models, code, tools, data. */
export const workKinds: NodeKind[] = [
  kind({
    ...{ code: '3', group: 'ai', label: words('Model', '大模型'), handlesErrors: true },
    description: words('Asks a model', '调用大语言模型'),
    settings: [
      ...modelHints,
      hints.inputs,
      { path: 'inputs.llmParam', param: 'prompt', kind: 'long_text', label: words('Prompt', '用户提示词') },
      {
        ...{ path: 'inputs.llmParam', param: 'responseFormat', kind: 'select', label: words('Answers in', '输出格式') },
        options: [
          { value: '0', label: words('Text', '文本') },
          { value: '1', label: words('Markdown', 'Markdown') },
          { value: '2', label: words('JSON', 'JSON') },
        ],
      },
      { path: 'inputs.llmParam', param: 'enableChatHistory', kind: 'boolean', label: words('Sees the conversation', '会话历史') },
      { path: 'inputs.llmParam', param: 'chatHistoryRound', kind: 'number', label: words('Earlier rounds', '会话轮数') },
      { path: 'inputs.fcParam', kind: 'json', label: words('Skills', '技能') },
      hints.outputs,
    ],
    initial: titled('Model', {
      inputs: {
        inputParameters: [{ name: 'input', input: reference() }],
        llmParam: params({
          modelType: ['integer', ''],
          temperature: ['float', '0.8'],
          maxTokens: ['integer', '4096'],
          responseFormat: ['integer', '0'],
          prompt: ['string', '{{input}}'],
          enableChatHistory: ['boolean', false],
          chatHistoryRound: ['integer', '3'],
          systemPrompt: ['string', ''],
        }),
        settingOnError: { processType: 1, retryTimes: 0, timeoutMs: 180_000 },
      },
      outputs: [variable('output')],
    }),
  }),
  kind({
    ...{ code: '22', group: 'ai', label: words('Intent', '意图识别'), portRule: 'intents', handlesErrors: true },
    description: words('A model says which of your intents a text has', '识别用户意图并进入对应分支'),
    ports: [{ id: 'default', label: words('other', '其他') }],
    settings: [
      ...modelHints.map((hint) => ({ ...hint, path: `${hint.path}.${hint.param ?? ''}`, param: undefined })).slice(0, 3),
      hints.inputs,
      { path: 'inputs.intents', kind: 'json', label: words('Intents', '意图') },
      {
        ...{ path: 'inputs.mode', kind: 'select', label: words('Mode', '模式') },
        options: [
          { value: 'all', label: words('with a reason', '完整模式') },
          { value: 'top_speed', label: words('fast', '极速模式') },
        ],
      },
      { path: 'inputs.llmParam.systemPrompt.value.content', kind: 'long_text', label: words('More advice', '附加提示词') },
    ],
    initial: titled('Intent', {
      inputs: {
        inputParameters: [{ name: 'query', input: reference() }],
        intents: [{ name: '' }],
        mode: 'all',
        llmParam: { modelType: '', temperature: 1, maxTokens: 4096, responseFormat: 2, systemPrompt: literal('string', '') },
        chatHistorySetting: { enableChatHistory: false, chatHistoryRound: 3 },
      },
      outputs: [variable('classificationId', 'integer'), variable('reason')],
    }),
  }),
  kind({
    ...{ code: '18', group: 'ai', label: words('Question', '问答'), portRule: 'options' },
    description: words('Asks a person and waits for the answer', '向用户提问并等待回答'),
    settings: [
      hints.inputs,
      { path: 'inputs.question', kind: 'long_text', label: words('Question', '提问内容') },
      {
        ...{ path: 'inputs.answer_type', kind: 'select', label: words('Is answered by', '回答类型') },
        options: [
          { value: 'text', label: words('a text', '直接回答') },
          { value: 'option', label: words('a choice', '选项回答') },
        ],
      },
      {
        ...{ path: 'inputs.option_type', kind: 'select', label: words('Options are', '选项类型') },
        options: [
          { value: 'static', label: words('written here', '固定内容') },
          { value: 'dynamic', label: words('a list', '动态内容') },
        ],
      },
      { path: 'inputs.options', kind: 'json', label: words('Options', '选项内容') },
      { path: 'inputs.dynamic_option', kind: 'value', label: words('List of options', '动态选项') },
      { path: 'inputs.extra_output', kind: 'boolean', label: words('Reads fields from the answer', '从回复中提取字段') },
      { path: 'inputs.limit', kind: 'number', label: words('Answers at most', '最多回答次数') },
      ...modelHints.map((hint) => ({ ...hint, path: `${hint.path}.${hint.param ?? ''}`, param: undefined })),
      hints.outputs,
    ],
    initial: titled('Question', {
      inputs: {
        ...{ question: '', answer_type: 'text', option_type: 'static', options: [{ name: '' }, { name: '' }] },
        ...{ extra_output: false, limit: 3, inputParameters: [] },
        llmParam: { modelType: '', temperature: 1, maxTokens: 1024, responseFormat: 2, systemPrompt: '' },
      },
      outputs: [{ ...variable('USER_RESPONSE'), required: true }],
    }),
  }),
  kind({
    ...{ code: '5', group: 'tools', label: words('Code', '代码'), handlesErrors: true },
    description: words('Runs Python or JavaScript of yours', '运行自定义代码'),
    settings: [
      hints.inputs,
      {
        ...{ path: 'inputs.language', kind: 'select', label: words('Language', '语言') },
        options: [
          { value: 3, label: words('Python', 'Python') },
          { value: 5, label: words('JavaScript', 'JavaScript') },
        ],
      },
      { path: 'inputs.code', kind: 'code', label: words('Code', '代码') },
      hints.outputs,
    ],
    initial: titled('Code', {
      inputs: { inputParameters: [{ name: 'input', input: reference() }], language: 3, code: CODE },
      outputs: [variable('output')],
    }),
  }),
  kind({
    ...{ code: '4', group: 'tools', label: words('Plugin', '插件'), handlesErrors: true },
    description: words('Calls a tool of a plugin', '调用插件工具'),
    settings: [
      { path: 'inputs.apiParam', param: 'pluginID', kind: 'text', label: words('Plugin (its id)', '插件 ID') },
      { path: 'inputs.apiParam', param: 'apiName', kind: 'text', label: words('Tool', '工具') },
      hints.inputs,
      hints.outputs,
    ],
    initial: titled('Plugin', {
      inputs: {
        apiParam: ['apiID', 'apiName', 'pluginID', 'pluginName', 'pluginVersion'].map((name) => textInput(name)),
        inputParameters: [],
      },
      outputs: [],
    }),
  }),
  kind({
    ...{ code: '45', group: 'tools', label: words('HTTP request', 'HTTP 请求'), handlesErrors: true },
    description: words('Calls a URL', '发送 HTTP 请求'),
    settings: [
      {
        ...{ path: 'inputs.apiInfo.method', kind: 'select', label: words('Method', '请求方法') },
        options: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map((value) => ({ value, label: words(value, value) })),
      },
      { path: 'inputs.apiInfo.url', kind: 'text', label: words('URL', 'URL') },
      { path: 'inputs.params', kind: 'inputs', label: words('Query', '查询参数') },
      { path: 'inputs.headers', kind: 'inputs', label: words('Headers', '请求头') },
      { path: 'inputs.auth', kind: 'json', label: words('Authentication', '鉴权') },
      {
        ...{ path: 'inputs.body.bodyType', kind: 'select', label: words('Body', '请求体') },
        options: [
          { value: 'EMPTY', label: words('none', '无') },
          { value: 'JSON', label: words('JSON', 'JSON') },
          { value: 'RAW_TEXT', label: words('text', '文本') },
          { value: 'FORM_DATA', label: words('form with files', '表单 (form-data)') },
          { value: 'FORM_URLENCODED', label: words('form', '表单 (urlencoded)') },
          { value: 'BINARY', label: words('a file', '文件') },
        ],
      },
      { path: 'inputs.body.bodyData.json', kind: 'long_text', label: words('JSON', 'JSON') },
      { path: 'inputs.body.bodyData.rawText', kind: 'long_text', label: words('Text', '文本') },
      { path: 'inputs.body.bodyData.formData.data', kind: 'inputs', label: words('Form fields', '表单字段') },
      { path: 'inputs.body.bodyData.formURLEncoded', kind: 'inputs', label: words('Form fields (urlencoded)', '表单字段 (urlencoded)') },
      { path: 'inputs.body.bodyData.binary.fileURL', kind: 'value', label: words('File', '文件') },
      { path: 'inputs.setting.timeout', kind: 'number', label: words('Time limit (s)', '超时时间(秒)') },
      { path: 'inputs.setting.retryTimes', kind: 'number', label: words('Tries again', '重试次数') },
    ],
    initial: titled('HTTP request', {
      inputs: {
        apiInfo: { method: 'GET', url: '' },
        ...{ headers: [], params: [], auth: { authOpen: false, authType: 'BEARER_AUTH' } },
        body: { bodyType: 'EMPTY', bodyData: {} },
        setting: { timeout: 120, retryTimes: 0 },
      },
      outputs: [variable('body'), variable('statusCode', 'integer'), variable('headers')],
    }),
  }),
  kind({
    ...{ code: '40', group: 'data', label: words('Assign variables', '变量赋值') },
    description: words('Writes variables of the app or of the user', '为应用变量或用户变量赋值'),
    settings: [{ ...hints.inputs, kind: 'json', label: words('Variables', '变量') }],
    initial: titled('Assign variables', {
      inputs: { inputParameters: [], variableTypeMap: {} },
      outputs: [variable('isSuccess', 'boolean')],
    }),
  }),
  kind({
    ...{ code: '58', group: 'data', label: words('To JSON', 'JSON 序列化') },
    description: words('Writes a value as JSON', '将变量转换为 JSON 字符串'),
    settings: [hints.inputs],
    initial: titled('To JSON', {
      inputs: { inputParameters: [{ name: 'input', input: reference('object') }] },
      outputs: [variable('output')],
    }),
  }),
  kind({
    ...{ code: '59', group: 'data', label: words('From JSON', 'JSON 反序列化') },
    description: words('Reads a value from JSON', '将 JSON 字符串解析为变量'),
    settings: [hints.inputs, hints.outputs],
    initial: titled('From JSON', {
      inputs: { inputParameters: [{ name: 'input', input: reference() }] },
      outputs: [{ ...variable('output', 'object'), schema: [] }],
    }),
  }),
  kind({
    ...{ code: '12', group: 'data', label: words('SQL', 'SQL 自定义'), handlesErrors: true },
    description: words('Runs an SQL statement on your tables', '对数据表执行 SQL'),
    settings: [databaseHint, hints.inputs, { path: 'inputs.sql', kind: 'code', label: words('Statement', 'SQL') }, hints.outputs],
    initial: titled('SQL', { inputs: { ...table, inputParameters: [], sql: '' }, outputs: rows }),
  }),
  kind({
    ...{ code: '43', group: 'data', label: words('Query rows', '查询数据'), handlesErrors: true },
    description: words('Reads rows of a table', '查询数据表'),
    settings: [
      databaseHint,
      { path: 'inputs.selectParam.fieldList', kind: 'json', label: words('Fields', '查询字段') },
      { path: 'inputs.selectParam.condition', kind: 'json', label: words('Condition', '查询条件') },
      { path: 'inputs.selectParam.orderByList', kind: 'json', label: words('Order', '排序') },
      { path: 'inputs.selectParam.limit', kind: 'number', label: words('Rows at most', '查询上限') },
      hints.outputs,
    ],
    initial: titled('Query rows', { inputs: { ...table, selectParam: { fieldList: [], orderByList: [], limit: 100 } }, outputs: rows }),
  }),
  kind({
    ...{ code: '46', group: 'data', label: words('Insert row', '新增数据'), handlesErrors: true },
    description: words('Adds a row to a table', '向数据表新增数据'),
    settings: [databaseHint, { path: 'inputs.insertParam.fieldInfo', kind: 'json', label: words('Fields', '字段') }],
    initial: titled('Insert row', { inputs: { ...table, insertParam: { fieldInfo: [] } }, outputs: rows }),
  }),
  kind({
    ...{ code: '42', group: 'data', label: words('Update rows', '更新数据'), handlesErrors: true },
    description: words('Changes rows of a table', '更新数据表中的数据'),
    settings: [
      databaseHint,
      { path: 'inputs.updateParam.condition', kind: 'json', label: words('Condition', '更新条件') },
      { path: 'inputs.updateParam.fieldInfo', kind: 'json', label: words('Fields', '字段') },
    ],
    initial: titled('Update rows', {
      inputs: { ...table, updateParam: { condition: { conditionList: [], logic: 'AND' }, fieldInfo: [] } },
      outputs: rows,
    }),
  }),
  kind({
    ...{ code: '44', group: 'data', label: words('Delete rows', '删除数据'), handlesErrors: true },
    description: words('Deletes rows of a table', '删除数据表中的数据'),
    settings: [databaseHint, { path: 'inputs.deleteParam.condition', kind: 'json', label: words('Condition', '删除条件') }],
    initial: titled('Delete rows', {
      inputs: { ...table, deleteParam: { condition: { conditionList: [], logic: 'AND' } } },
      outputs: rows,
    }),
  }),
  kind({
    ...{ code: '6', group: 'data', label: words('Search knowledge', '知识库检索') },
    description: words('Finds passages in knowledge bases', '在知识库中检索'),
    settings: [
      knowledgeHint,
      hints.inputs,
      { path: 'inputs.datasetParam', param: 'topK', kind: 'number', label: words('Passages at most', '最大召回数量') },
      { path: 'inputs.datasetParam', param: 'minScore', kind: 'number', label: words('Score at least', '最小匹配度') },
      {
        ...{ path: 'inputs.datasetParam', param: 'strategy', kind: 'select', label: words('Search', '搜索策略') },
        options: [
          { value: 0, label: words('by meaning', '语义') },
          { value: 1, label: words('by both', '混合') },
          { value: 20, label: words('by words', '全文') },
        ],
      },
    ],
    initial: titled('Search knowledge', {
      inputs: {
        datasetParam: [...knowledge.datasetParam, ...params({ topK: ['integer', 5], minScore: ['float', 0.5], strategy: ['integer', 1] })],
        inputParameters: [{ name: 'Query', input: reference() }],
      },
      outputs: [listVariable('outputList', [variable('output')])],
    }),
  }),
  kind({
    ...{ code: '27', group: 'data', label: words('Write knowledge', '知识库写入') },
    description: words('Adds a document to a knowledge base', '向知识库写入文档'),
    settings: [
      knowledgeHint,
      hints.inputs,
      { path: 'inputs.strategyParam', kind: 'json', label: words('How it is read', '解析与分段策略') },
    ],
    initial: titled('Write knowledge', {
      inputs: {
        ...knowledge,
        inputParameters: [{ name: 'knowledge', input: { ...reference(), assistType: 1 } }],
        strategyParam: {
          parsingStrategy: { parsingType: 'fast' },
          chunkStrategy: { chunkType: 'default' },
          indexStrategy: {},
        },
      },
      outputs: ['documentId', 'fileName', 'fileUrl'].map((name) => variable(name)),
    }),
  }),
  kind({
    ...{ code: '60', group: 'data', label: words('Delete knowledge', '知识库删除') },
    description: words('Deletes a document of a knowledge base', '删除知识库中的文档'),
    settings: [knowledgeHint, hints.inputs],
    initial: titled('Delete knowledge', {
      inputs: { ...knowledge, inputParameters: [{ name: 'documentID', input: reference() }] },
      outputs: [variable('isSuccess', 'boolean')],
    }),
  }),
]
