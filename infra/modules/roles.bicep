// Every right that the deployment gives, and nothing else gives any. The reason is the description that Azure shows beside it.
param appPrincipalId string
param eventsPrincipalId string
param stateAccountName string
param dataAccountName string
param vaultName string
param keyName string
param insightsName string

@description('Empty without a registry.')
param registryName string

var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var storageQueueDataMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var keyVaultCryptoServiceEncryptionUser = 'e147488a-f6f5-4113-8e2d-b22465e65bf6'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource state 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: stateAccountName
}

resource stateBlobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: state
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = {
  parent: stateBlobs
  name: 'event-dead-letters'
}

resource stateQueues 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' existing = {
  parent: state
  name: 'default'
}

resource eventsQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' existing = {
  parent: stateQueues
  name: 'blob-events'
}

resource data 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: dataAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource sealingKey 'Microsoft.KeyVault/vaults/keys@2024-11-01' existing = {
  parent: vault
  name: keyName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = if (!empty(registryName)) {
  name: registryName
}

resource appOnStateBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(state.id, appPrincipalId, storageBlobDataOwner)
  scope: state
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
    description: 'The Functions host keeps its package, locks and keys here and asks for Owner; the app its models, code, manifests and receipts.'
  }
}

resource appOnStateQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(state.id, appPrincipalId, storageQueueDataContributor)
  scope: state
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageQueueDataContributor)
    description: 'Durable Functions creates and works off its queues; the app reads blob-events, blob-flush and invoke, and writes their poison queues.'
  }
}

resource appOnStateTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(state.id, appPrincipalId, storageTableDataContributor)
  scope: state
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageTableDataContributor)
    description: 'Histories of orchestrations, and the registry of endpoints, deployments, assets and jobs.'
  }
}

resource appOnData 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(data.id, appPrincipalId, storageBlobDataContributor)
  scope: data
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
    description: 'Jobs read inputs and write outputs; uploads of clients get a signature, for which the role may ask a user delegation key.'
  }
}

resource appOnKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(sealingKey.id, appPrincipalId, keyVaultCryptoServiceEncryptionUser)
  scope: sealingKey
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultCryptoServiceEncryptionUser)
    description: 'Wrap and unwrap the keys under which the access of callers is sealed; on this one key, and no more than that.'
  }
}

resource appOnInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appPrincipalId, monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    description: 'Send telemetry: Application Insights takes none by its connection string alone.'
  }
}

resource appOnRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  name: guid(registryName, appPrincipalId, acrPull)
  scope: registry
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
    description: 'Pull the image of the container variant.'
  }
}

resource eventsOnQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(eventsQueue.id, eventsPrincipalId, storageQueueDataMessageSender)
  scope: eventsQueue
  properties: {
    principalId: eventsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageQueueDataMessageSender)
    description: 'Event Grid tells of new blobs; it can add messages to this one queue, not read them.'
  }
}

resource eventsOnDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, eventsPrincipalId, storageBlobDataContributor)
  scope: deadLetters
  properties: {
    principalId: eventsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
    description: 'Event Grid leaves here what it could not deliver.'
  }
}
