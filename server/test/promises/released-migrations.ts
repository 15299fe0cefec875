/** What each released step says to databases, as a hash: `promise-20-migrations.test.ts` says how a new one gets its line. */
export const releasedMigrations: Record<string, string> = {
  '0001-accounts': '055f4d130cb2bd809bb39beb330a2dd8',
  '0002-bots': '26bb2a6e78edf76c6cb3b7d443758737',
  '0003-conversations': 'e3c9122739cdb8cbf9f23cd85d373083',
  '0004-runs': '3a67e9d031a4aa3c657b3694ab8e9f65',
  '0005-idempotency': '1d077e48ac20a0e562f0f3572f77a02a',
  '0006-webhooks': '519c2a13d259328d50b6c552fd31136c',
  '0007-resources': 'cf87e7041816a2304638636fa6405802',
  '0008-workflows': '83e961efe416d220f5ec8789ae0d3487',
  '0009-plugins': '6cfdcf7159c45c84e6034de8dbcbc8fa',
  '0010-user-tables': '29e4b6f1d374c805712f2d39357136ef',
  '0011-app-conversations': '82b66479a3f60ebdad483b8c2c22ea58',
  '0012-workflow-runs': '64bcea866bc5ae6902170e024a6b96b5',
  '0013-console': '1b4fe6b36a5cc20ffd23f8e4a0d56072',
  '0014-key-policy': 'f2b54a78afaf20d45458c7c44eab8aef',
  '0015-stop-requests': 'a08cee7a53402108ee9600553d2a51ac',
  '0016-audit': '08d1952d15494e693efe0dd7914ce93c',
}
