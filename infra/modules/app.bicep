// The plan, the function app and its settings. Two hostings, one app: docs/deploy.md says what each can do.
param location string
param tags object
param token string
param hosting string
param nodeVersion string
param containerImage string
param allowCode bool
param privateNetwork bool
param allowedAddresses array

@description('Empty without a network.')
param subnetId string
param identityId string
param identityClientId string
param entraClientId string
param entraAudiences string
param workspaceName string
param stateEndpoints object
param packageContainer string

@description('With a slash at the end, as Azure writes it.')
param dataBlobEndpoint string
param dataContainer string
param insightsConnectionString string

@description('Id of the sealing key without a version, so that a renewed one is taken.')
param sealingKeyId string

var isFlex = hosting == 'flex'
// The base image answers until there is an image of the app: a registry has to be there before one can be pushed.
var image = empty(containerImage) ? 'mcr.microsoft.com/azure-functions/node:4.1054.250-4-node22-appservice' : containerImage

var settings = {
  AzureWebJobsStorage__blobServiceUri: stateEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: stateEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: stateEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  BATCHPOINT_STATE__blobServiceUri: stateEndpoints.blob
  BATCHPOINT_STATE__queueServiceUri: stateEndpoints.queue
  BATCHPOINT_STATE__tableServiceUri: stateEndpoints.table
  BATCHPOINT_STATE__credential: 'managedidentity'
  BATCHPOINT_STATE__clientId: identityClientId
  AZURE_CLIENT_ID: identityClientId
  BATCHPOINT_DATASTORES: string([
    {
      name: 'workspaceblobstore'
      connection: dataBlobEndpoint
      container: dataContainer
    }
  ])
  // The other containers of the data account, the watched ones among them, may be made datastores by a request.
  BATCHPOINT_DATASTORE_ACCOUNTS: string([
    dataBlobEndpoint
  ])
  BATCHPOINT_WORKSPACE: string({
    subscriptionId: subscription().subscriptionId
    resourceGroup: resourceGroup().name
    workspace: workspaceName
    location: location
  })
  BATCHPOINT_TENANT_ID: tenant().tenantId
  BATCHPOINT_CLIENT_ID: entraClientId
  BATCHPOINT_AUDIENCES: entraAudiences
  // For jobs as their invoker: the identity proves that the app is the registration, the key seals what callers lend.
  BATCHPOINT_CLIENT_MANAGED_IDENTITY: identityClientId
  BATCHPOINT_SEALING_KEY: sealingKeyId
  BATCHPOINT_AUTHORITY: environment().authentication.loginEndpoint
  BATCHPOINT_ALLOW_CODE: string(allowCode)
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATION_INSIGHTS_NO_STATSBEAT: 'true'
}

var flexSettings = {
  // Each run wakes an instance, which is all that an idle app pays compute for.
  BATCHPOINT_SWEEP_SCHEDULE: '0 */5 * * * *'
}

// Flex Consumption refuses these: there the runtime is part of the app's configuration.
var containerSettings = {
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'node'
  WEBSITES_ENABLE_APP_SERVICE_STORAGE: 'false'
}

var addressRules = [
  for (address, index) in allowedAddresses: {
    name: 'allowed-${index}'
    priority: 100 + index
    action: 'Allow'
    ipAddress: address
  }
]

var siteConfig = {
  minTlsVersion: '1.2'
  scmMinTlsVersion: '1.2'
  ftpsState: 'Disabled'
  http20Enabled: true
  alwaysOn: false
  ipSecurityRestrictions: addressRules
  ipSecurityRestrictionsDefaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
}

var containerSiteConfig = {
  linuxFxVersion: 'DOCKER|${image}'
  acrUseManagedIdentityCreds: true
  acrUserManagedIdentityID: identityClientId
  minimumElasticInstanceCount: 1
  healthCheckPath: '/health'
  // Queues behind private endpoints scale the app, too.
  functionsRuntimeScaleMonitoringEnabled: true
}

var flexConfig = {
  deployment: {
    storage: {
      type: 'blobContainer'
      value: '${stateEndpoints.blob}${packageContainer}'
      authentication: {
        type: 'UserAssignedIdentity'
        userAssignedIdentityResourceId: identityId
      }
    }
  }
  runtime: {
    name: 'node'
    version: nodeVersion
  }
  scaleAndConcurrency: {
    // Two cores, for two files at once.
    instanceMemoryMB: 4096
    maximumInstanceCount: 40
  }
}

module plan 'br/public:avm/res/web/serverfarm:0.7.0' = {
  params: {
    name: 'plan-${token}'
    location: location
    tags: tags
    skuName: isFlex ? 'FC1' : 'EP1'
    skuCapacity: 1
    kind: isFlex ? 'functionapp' : 'elastic'
    reserved: true
    maximumElasticWorkerCount: isFlex ? 1 : 10
    zoneRedundant: false
    enableTelemetry: false
  }
}

module site 'br/public:avm/res/web/site:0.24.0' = {
  params: {
    name: 'func-${token}'
    location: location
    tags: union(tags, {
      'azd-service-name': 'app'
    })
    kind: isFlex ? 'functionapp,linux' : 'functionapp,linux,container'
    serverFarmResourceId: plan.outputs.resourceId
    managedIdentities: {
      userAssignedResourceIds: [
        identityId
      ]
    }
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetResourceId: empty(subnetId) ? null : subnetId
    functionAppConfig: isFlex ? flexConfig : null
    siteConfig: isFlex ? siteConfig : union(siteConfig, containerSiteConfig)
    basicPublishingCredentialsPolicies: [
      {
        name: 'ftp'
        allow: false
      }
      {
        name: 'scm'
        allow: false
      }
    ]
    configs: [
      {
        name: 'appsettings'
        properties: union(settings, isFlex ? flexSettings : containerSettings)
        // What was set by hand goes with the next deployment: the template says all of it.
        retainCurrentAppSettings: false
      }
    ]
    enableTelemetry: false
  }
}

output id string = site.outputs.resourceId
output name string = site.outputs.name
output url string = 'https://${site.outputs.defaultHostname}'
