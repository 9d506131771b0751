// Everything that one Batchpoint app needs, in a resource group of its own. What it is and costs: docs/deploy.md.
targetScope = 'subscription'

@description('Name of the azd environment; part of the names of all resources.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of all resources.')
param location string

@description('Client id of the app registration that infra/entra/register.sh makes.')
@minLength(36)
@maxLength(36)
param entraClientId string

@description('App ID URIs of that registration beside api://{client id}, with commas between.')
param entraAudiences string = ''

@description('flex: Flex Consumption, ONNX and JavaScript only. container: Elastic Premium with the image of infra/Dockerfile, which has Python.')
@allowed([
  'flex'
  'container'
])
param hosting string = 'flex'

@description('Node.js of Flex Consumption. The container brings its own.')
@allowed([
  '22'
  '24'
])
param nodeVersion string = '22'

@description('Image of the container variant, built from infra/Dockerfile; empty before there is one.')
param containerImage string = ''

@description('Run what owners deploy: scoring scripts and modules, commands of pipelines.')
param allowCode bool = false

@description('VNet, private endpoints and private DNS; no service is reachable from the internet then, the app included.')
param privateNetwork bool = false

@description('Addresses (CIDR) that may call the app; empty: all. With privateNetwork nobody from the internet may, listed or not.')
param allowedAddresses array = []

@description('Containers of the data account whose new blobs Event Grid tells the app of (docs/triggered-scoring.md).')
param watchedContainers array = []

@description('Name of the workspace in the management paths that clients use.')
param workspaceName string = 'batchpoint'

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var dataContainer = 'azureml-blobstore'
var watches = !empty(watchedContainers)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    hosting: hosting
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    privateNetwork: privateNetwork
    takesEvents: watches
    dataContainers: union([dataContainer], watchedContainers)
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    privateNetwork: privateNetwork
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module registry 'modules/registry.bicep' = if (hosting == 'container') {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    appPrincipalId: identities.outputs.appPrincipalId
    eventsPrincipalId: identities.outputs.eventsPrincipalId
    stateAccountName: storage.outputs.stateName
    dataAccountName: storage.outputs.dataName
    vaultName: vault.outputs.name
    keyName: vault.outputs.keyName
    insightsName: monitoring.outputs.insightsName
    registryName: hosting == 'container' ? registry!.outputs.name : ''
  }
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    hosting: hosting
    nodeVersion: nodeVersion
    containerImage: containerImage
    allowCode: allowCode
    privateNetwork: privateNetwork
    allowedAddresses: allowedAddresses
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    identityId: identities.outputs.appId
    identityClientId: identities.outputs.appClientId
    entraClientId: entraClientId
    entraAudiences: entraAudiences
    workspaceName: workspaceName
    stateEndpoints: storage.outputs.stateEndpoints
    packageContainer: storage.outputs.packageContainer
    dataBlobEndpoint: storage.outputs.dataBlobEndpoint
    dataContainer: dataContainer
    insightsConnectionString: monitoring.outputs.connectionString
    sealingKeyId: '${vault.outputs.uri}keys/${vault.outputs.keyName}'
  }
  // Without its roles the host cannot read its package and gives up starting.
  dependsOn: [
    roles
  ]
}

module endpoints 'modules/private-endpoints.bicep' = if (privateNetwork) {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointSubnetId
    stateAccountId: storage.outputs.stateId
    dataAccountId: storage.outputs.dataId
    vaultId: vault.outputs.id
    appId: app.outputs.id
  }
}

module events 'modules/events.bicep' = if (watches) {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    identityId: identities.outputs.eventsId
    stateAccountId: storage.outputs.stateId
    dataAccountId: storage.outputs.dataId
    watchedContainers: watchedContainers
  }
  // Event Grid tries the queue when a subscription is made.
  dependsOn: [
    roles
  ]
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output AZURE_CONTAINER_REGISTRY_NAME string = hosting == 'container' ? registry!.outputs.name : ''
output BATCHPOINT_URL string = app.outputs.url
output BATCHPOINT_IDENTITY_PRINCIPAL_ID string = identities.outputs.appPrincipalId
output BATCHPOINT_DATA_ACCOUNT string = storage.outputs.dataName
