// Two accounts: what the app and its host keep, which no caller can address, and what callers read and write.
param location string
param tags object
param token string
param privateNetwork bool

@description('Event Grid delivers to a queue of the state account.')
param takesEvents bool

@description('Containers of the data account.')
param dataContainers array

var packageContainer = 'app-package'
var deadLetterContainer = 'event-dead-letters'
var eventsQueue = 'blob-events'
// Disabled would keep out Event Grid, too; the rules let in Azure's own services with a role and nobody else.
var stateClosed = privateNetwork && !takesEvents
var closed = {
  bypass: 'AzureServices'
  defaultAction: 'Deny'
}
var open = {
  bypass: 'AzureServices'
  defaultAction: 'Allow'
}

module state 'br/public:avm/res/storage/storage-account:0.33.0' = {
  params: {
    name: 'st${token}state'
    location: location
    tags: tags
    skuName: 'Standard_LRS'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: stateClosed ? 'Disabled' : 'Enabled'
    networkAcls: privateNetwork ? closed : open
    blobServices: {
      deleteRetentionPolicyEnabled: true
      deleteRetentionPolicyDays: 7
      containerDeleteRetentionPolicyEnabled: true
      containerDeleteRetentionPolicyDays: 7
      containers: [
        {
          name: packageContainer
          publicAccess: 'None'
        }
        {
          name: deadLetterContainer
          publicAccess: 'None'
        }
      ]
    }
    queueServices: {
      queues: [
        {
          name: eventsQueue
        }
      ]
    }
    enableTelemetry: false
  }
}

module data 'br/public:avm/res/storage/storage-account:0.33.0' = {
  params: {
    name: 'st${token}data'
    location: location
    tags: tags
    skuName: 'Standard_LRS'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: privateNetwork ? closed : open
    blobServices: {
      deleteRetentionPolicyEnabled: true
      deleteRetentionPolicyDays: 7
      containerDeleteRetentionPolicyEnabled: true
      containerDeleteRetentionPolicyDays: 7
      containers: [
        for container in dataContainers: {
          name: container
          publicAccess: 'None'
        }
      ]
    }
    enableTelemetry: false
  }
}

output stateId string = state.outputs.resourceId
output stateName string = state.outputs.name
output stateEndpoints object = state.outputs.serviceEndpoints
output packageContainer string = packageContainer
output dataId string = data.outputs.resourceId
output dataName string = data.outputs.name
output dataBlobEndpoint string = data.outputs.serviceEndpoints.blob
