// The key under which the app seals the access that callers lend to their jobs. The vault holds nothing else.
param location string
param tags object
param token string
param privateNetwork bool

var keyName = 'batchpoint-sealing'

module vault 'br/public:avm/res/key-vault/vault:0.14.0' = {
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    sku: 'standard'
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enableVaultForDeployment: false
    enableVaultForTemplateDeployment: false
    enableVaultForDiskEncryption: false
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
    keys: [
      {
        name: keyName
        kty: 'RSA'
        keySize: 3072
        keyOps: [
          'wrapKey'
          'unwrapKey'
        ]
        rotationPolicy: {
          attributes: {
            expiryTime: 'P2Y'
          }
          lifetimeActions: [
            {
              action: {
                type: 'rotate'
              }
              trigger: {
                timeAfterCreate: 'P1Y'
              }
            }
          ]
        }
      }
    ]
    enableTelemetry: false
  }
}

output id string = vault.outputs.resourceId
output name string = vault.outputs.name
output uri string = vault.outputs.uri
output keyName string = keyName
